import { alignToFrames, normalizeWaveform, stackStates, type Wav2Vec2Encoder } from "@omni/audio";
import { realize, tensor, type Tensor } from "@omni/core";
import type { CausalVae } from "@omni/vae";
import { videoTensor } from "./batch.ts";
import type { ClipSize, ClipSource, TrainingClip } from "./sample.ts";

/** A clip as the denoiser sees it. */
export interface EncodedClip {
  /** [C, T, h, w] */
  readonly latents: Float32Array;
  /** [C, 1, h, w] */
  readonly reference: Float32Array;
  /** [F, tokens, D] */
  readonly audio: Float32Array;
  /** [F, K, 3] */
  readonly keypoints: Float32Array;
  /**
   * [T, h, w]: importance of each latent cell, the root mean square of that of its pixels (`TrainingClip.moving`): a plain mean would forget a mouth of
   * two or three pixels.
   */
  readonly moving: Float32Array;
  readonly caption: string;
  readonly lipSync: boolean;
  readonly silent: boolean;
  readonly poseVisible: boolean;
}

export interface ClipEncoder {
  readonly vae: CausalVae;
  readonly audio: Wav2Vec2Encoder;
  readonly fps: number;
  readonly tokensPerFrame: number;
}

const rowsOf = (values: ArrayLike<number>, rows: number): Float32Array[] => {
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, i) =>
    Float32Array.from({ length: width }, (__, k) => values[i * width + k] ?? 0),
  );
};

/** Runs the frozen encoders over clips of one size. */
export async function encodeClips(
  { vae, audio, fps, tokensPerFrame }: ClipEncoder,
  clips: readonly TrainingClip[],
): Promise<EncodedClip[]> {
  const [first] = clips;
  if (!first) return [];
  const { frames, height, width } = first;
  const latents = vae.encode(
    videoTensor(
      clips.map((c) => c.video),
      frames,
      height,
      width,
    ),
  );
  const reference = vae.encode(
    videoTensor(
      clips.map((c) => c.reference),
      1,
      height,
      width,
    ),
  );
  const samples = first.audio.length;
  const waves = new Float32Array(clips.length * samples);
  clips.forEach((c, b) => waves.set(normalizeWaveform(c.audio, audio.config.varianceFloor), b * samples));
  const { hidden } = audio.forward(tensor(waves, { shape: [clips.length, samples] }));
  const features = alignToFrames(stackStates(hidden), audio.config, { fps, tokensPerFrame }, { count: frames });
  const results: Tensor[] = [latents, reference, features];
  await realize(results);
  const [latentRows = [], referenceRows = [], featureRows = []] = await Promise.all(
    results.map(async (t) => rowsOf(await t.data(), clips.length)),
  );
  for (const t of results) t.dispose();
  const [, , T = 1, h = 1, w = 1] = latents.shape;
  return clips.map((c, i) => ({
    latents: latentRows[i] ?? new Float32Array(0),
    reference: referenceRows[i] ?? new Float32Array(0),
    audio: featureRows[i] ?? new Float32Array(0),
    keypoints: c.keypoints,
    moving: pooled(c, T, h, w),
    caption: c.caption,
    lipSync: c.lipSync,
    silent: c.silent,
    poseVisible: c.poseVisible,
  }));
}

/** Root mean square of the importance over the frames and pixels of each latent cell. */
function pooled({ moving, frames, height, width }: TrainingClip, T: number, h: number, w: number): Float32Array {
  const out = new Float32Array(T * h * w);
  const counts = new Float32Array(T * h * w);
  for (let f = 0; f < frames; f++) {
    const t = Math.ceil(f / 4);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const cell = (t * h + Math.floor((y * h) / height)) * w + Math.floor((x * w) / width);
        out[cell] = (out[cell] ?? 0) + (moving[(f * height + y) * width + x] ?? 0) ** 2;
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
  }
  return out.map((sum, i) => Math.sqrt(sum / Math.max(1, counts[i] ?? 1)));
}

interface Shelf {
  readonly size: ClipSize;
  readonly clips: EncodedClip[];
  next: number;
}

/**
 * Encoded clips in memory, by size. Drawing and encoding a batch costs about as much as a training step, so each clip serves several times while new ones
 * keep coming in and the oldest go.
 */
export class EncodedClips {
  readonly #encoder: ClipEncoder;
  readonly #source: ClipSource;
  readonly #frames: number;
  readonly #capacity: number;
  readonly #shelves: readonly Shelf[];
  #drawn: number;

  constructor(options: {
    readonly encoder: ClipEncoder;
    readonly source: ClipSource;
    readonly sizes: readonly ClipSize[];
    readonly frames: number;
    /** Clips kept of each size. */
    readonly capacity: number;
    /** Clips drawn before, so that a resumed run sees new ones. */
    readonly drawn: number;
  }) {
    this.#encoder = options.encoder;
    this.#source = options.source;
    this.#frames = options.frames;
    this.#capacity = options.capacity;
    this.#drawn = options.drawn;
    const distinct = new Map(options.sizes.map((size) => [`${size.width}x${size.height}`, size]));
    this.#shelves = [...distinct.values()].map((size) => ({ size, clips: [], next: 0 }));
  }

  get drawn(): number {
    return this.#drawn;
  }

  /** Clips of a size; encodes `fresh` new ones first. */
  async shelf(size: ClipSize, fresh: number): Promise<readonly EncodedClip[]> {
    const shelf = this.#shelves.find((s) => s.size.width === size.width && s.size.height === size.height);
    if (!shelf) return [];
    if (fresh > 0) {
      const clips = Array.from({ length: fresh }, () => this.#source(this.#drawn++, { ...size, frames: this.#frames }));
      for (const clip of await encodeClips(this.#encoder, clips)) {
        shelf.clips[shelf.next] = clip;
        shelf.next = (shelf.next + 1) % this.#capacity;
      }
    }
    return shelf.clips;
  }
  /** How many clips of a size are there. */
  count(size: ClipSize): number {
    return this.#shelves.find((s) => s.size.width === size.width && s.size.height === size.height)?.clips.length ?? 0;
  }
}
