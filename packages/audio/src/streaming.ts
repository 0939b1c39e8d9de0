import { tensor } from "@omni/core";
import { SAMPLE_RATE } from "./config.ts";
import type { AudioConfig } from "./config.ts";
import { alignToFrames, featureDim, stackStates, stepAt, tokenTime } from "./features.ts";
import type { FrameRate } from "./features.ts";
import type { Wav2Vec2Encoder } from "./model.ts";
import { fieldSamples, hopSamples, normalizeWaveform, stepCount } from "./waveform.ts";

/** Options of {@link streamFrameFeatures}. */
export interface FeatureStreamOptions extends FrameRate {
  /** Video frames to cover; the duration of the sound, rounded, by default. Silence follows where they outlast it. */
  readonly frames?: number;
  /** Seconds of sound encoded at a time. */
  readonly chunkSeconds?: number;
  /** Seconds of sound encoded around a chunk and thrown away. By default what the encoder's reach needs, or 4 s where it is endless. */
  readonly contextSeconds?: number;
}

/** Features of `count` video frames from `first` on. */
export interface FrameFeatures {
  readonly first: number;
  readonly count: number;
  /** [count, tokensPerFrame, featureDim], row-major. */
  readonly data: Float32Array;
}

const CHUNK_SECONDS = 8;
const ENDLESS_CONTEXT_SECONDS = 4;

/** Video frames that last as long as the sound, at least one. */
export const frameCountOf = (samples: number, fps: number): number =>
  Math.max(1, Math.round((samples / SAMPLE_RATE) * fps));

/** Steps beyond a step that can influence it; null where attention has no bound. */
export function reachSteps({ attentionReach, layers, positionKernel }: AudioConfig): number | null {
  return attentionReach === null ? null : layers * attentionReach + Math.floor(positionKernel / 2);
}

/**
 * Features of sound of any length, chunk by chunk in constant device memory.
 *
 * With a finite `attentionReach` the chunks equal the one-shot result. Where attention is endless they do up to what a step hears beyond
 * the context of 4 s on each side: `contextSeconds` trades time for it. A norm over time (base) is measured on the whole sound first, so
 * that it adds no error. Sound shorter than the encoder's receptive field is padded with silence.
 *
 * @param samples mono, 16 kHz
 */
export async function* streamFrameFeatures(
  encoder: Wav2Vec2Encoder,
  samples: Float32Array,
  options: FeatureStreamOptions,
): AsyncGenerator<FrameFeatures, void, undefined> {
  const { config } = encoder;
  const hop = hopSamples(config);
  const field = fieldSamples(config);
  const total = options.frames ?? frameCountOf(samples.length, options.fps);
  const length = Math.max(samples.length, Math.ceil((total / options.fps) * SAMPLE_RATE), field);
  const waveform = new Float32Array(length);
  waveform.set(normalizeWaveform(samples, config.varianceFloor));
  const steps = stepCount(config, length);
  const statistics = await encoder.feature_extractor.measure(waveform);
  const contextSteps =
    options.contextSeconds === undefined
      ? (reachSteps(config) ?? Math.ceil((ENDLESS_CONTEXT_SECONDS * SAMPLE_RATE) / hop))
      : Math.ceil((options.contextSeconds * SAMPLE_RATE) / hop);
  const chunkFrames = Math.max(1, Math.round((options.chunkSeconds ?? CHUNK_SECONDS) * options.fps));

  for (let first = 0; first < total; first += chunkFrames) {
    const count = Math.min(chunkFrames, total - first);
    const lastToken = tokenTime(options, first + count - 1, options.tokensPerFrame - 1);
    const clamp = (step: number): number => Math.min(Math.max(step, 0), steps - 1);
    const from = clamp(Math.floor(stepAt(config, tokenTime(options, first, 0))) - contextSteps);
    const to = clamp(Math.floor(stepAt(config, lastToken)) + 1 + contextSteps);
    const chunk = waveform.slice(from * hop, to * hop + field);
    const { hidden } = encoder.forward(tensor(chunk, { shape: [1, chunk.length] }), { statistics });
    const features = alignToFrames(stackStates(hidden), config, options, { first, count, firstStep: from });
    const data = await features.data();
    features.dispose();
    yield { first, count, data: data as Float32Array }; // features are f32
  }
}

/**
 * All of {@link streamFrameFeatures} as one array on the host: 2 KB a token at nano size, 6 MB a minute of 12.5 fps.
 *
 * @returns [frames, tokensPerFrame, featureDim], row-major
 */
export async function frameFeatures(
  encoder: Wav2Vec2Encoder,
  samples: Float32Array,
  options: FeatureStreamOptions,
): Promise<FrameFeatures> {
  const count = options.frames ?? frameCountOf(samples.length, options.fps);
  const perFrame = options.tokensPerFrame * featureDim(encoder.config);
  const data = new Float32Array(count * perFrame);
  for await (const chunk of streamFrameFeatures(encoder, samples, { ...options, frames: count }))
    data.set(chunk.data, chunk.first * perFrame);
  return { first: 0, count, data };
}
