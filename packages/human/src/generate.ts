import { frameCountOf, SAMPLE_RATE } from "@omni/audio";
import { concat, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { NO_CONDITIONS } from "@omni/dit";
import { frameCount } from "@omni/pose";
import { eachBranch, flowSchedule, sample } from "@omni/sampler";
import type { BranchVelocity, Solver } from "@omni/sampler";
import { compression, decodeClip, encodeClip } from "@omni/vae";
import type { ClipCoding } from "@omni/vae";
import { modelLimits, segmentCoding } from "./coding.ts";
import type { SegmentCoding } from "./coding.ts";
import { activeConditions } from "./conditions.ts";
import type { Activation, Conditions } from "./conditions.ts";
import { disposeAll, encodeStill, MovingEncoder } from "./encode.ts";
import { guidanceOf } from "./guide.ts";
import type { GuidanceScale, StepConditions } from "./guide.ts";
import type { OmniHuman } from "./model.ts";
import { videoToPictures } from "./picture.ts";
import type { Picture } from "./picture.ts";
import { planSegments } from "./segments.ts";
import type { Segment } from "./segments.ts";
import type { FrameSize } from "./sizes.ts";

/** What to generate and how. Where something is left out, the model's own config decides. */
export interface GenerateOptions extends Partial<Conditions> {
  /** Switches single conditions on or off against the rule of `activate`. */
  readonly activate?: Partial<Activation>;
  /** Size of the frames where there is no reference picture; with one, frames have its size. */
  readonly size?: FrameSize;
  /** Length; by default that of the sound, else that of the pose, else one segment. */
  readonly seconds?: number;
  /** Solver steps a segment. */
  readonly steps?: number;
  /** A number or a curve for audio and text alike, or one for each. */
  readonly guidance?: GuidanceScale;
  /** Default: Euler's. */
  readonly solver?: Solver;
  /** Equal seeds give equal frames on the same adapter. Default 0. */
  readonly seed?: number;
  /** How frames pass through the autoencoder. Default: as {@link segmentCoding} chooses by the adapter's limits. */
  readonly coding?: ClipCoding;
  /** Checked before each solver step. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: GenerateProgress) => void;
}

/** How far a video has come. */
export interface GenerateProgress {
  /** Segment in work, from 0. */
  readonly segment: number;
  readonly segments: number;
  /** Solver steps done in it. */
  readonly step: number;
  readonly steps: number;
  /** Share of all solver steps that are done, 0 to 1. */
  readonly fraction: number;
}

/** New frames of one segment. */
export interface GeneratedSegment {
  readonly index: number;
  readonly segments: number;
  /** Place of the first of `frames` in the video. */
  readonly first: number;
  readonly frames: readonly Picture[];
}

/**
 * Generates a video segment by segment: sample latents from noise, decode them, hand out the new frames, and encode the last five as the
 * motion frames that the next segment goes on from. Every segment sees the same reference. Device memory does not grow with length.
 *
 * ```ts
 * for await (const { frames } of generate(model, { reference, audio }))
 *   for (const frame of frames) await writer.writeFrame(frame);
 * ```
 *
 * @returns segments whose frames joined are round(seconds · fps) in number, at least 1
 * @throws RangeError for options out of range, ShapeError for a picture of a wrong size, the signal's reason when aborted
 */
export async function* generate(
  model: OmniHuman,
  options: GenerateOptions,
): AsyncGenerator<GeneratedSegment, void, undefined> {
  const { clip, sampling } = model.config;
  const { solver, signal, seed = 0, steps = sampling.steps, guidance = sampling.guidance } = options;
  const schedule = flowSchedule({ steps, shift: sampling.shift });
  const conditions = activeConditions(given(options, sampling.text), options.activate);
  const size = conditions.reference ?? options.size ?? clip.sizes[0] ?? { width: 64, height: 64 };
  const segments = planSegments(videoFrames(model, conditions, options.seconds), clip);
  const generated = (segments.at(-1)?.start ?? 0) + clip.segmentFrames;
  const encoder = new MovingEncoder(model, conditions, size, generated);
  const coding = await codingOf(model, size, options.coding);
  const still = await encodeStill(model, conditions, coding.still);
  const rng = new Rng(seed);
  let motion: Tensor | null = null;
  try {
    for (const segment of segments) {
      const onStep = ({ step }: { readonly step: number }): void => report(options, segments, segment, step, steps);
      onStep({ step: 0 });
      const moving = await encoder.encode(segment);
      const latents: Tensor = await sample({
        velocity: velocityAfter(motion, model),
        guidance: guidanceOf({ ...still, ...moving }, guidance),
        noise: noiseOf(rng.fork(segment.index), model, segment, size),
        schedule,
        onStep,
        ...(solver && { solver }),
        ...(signal && { signal }),
      }).finally(() => disposeAll(moving));
      const isLast = segment === segments.at(-1);
      const decoded = await decodeSegment(model, motion, latents, { coding, encodeMotion: !isLast });
      motion?.dispose();
      motion = decoded.motion;
      const frames = decoded.frames.slice(segment.motionFrames, segment.motionFrames + segment.newFrames);
      yield { index: segment.index, segments: segments.length, first: segment.first, frames };
    }
  } finally {
    motion?.dispose();
    disposeAll(still);
    await encoder.close();
  }
}

function given(options: GenerateOptions, defaultText: string | null): Conditions {
  const { text = defaultText, reference = null, audio = null, pose = null } = options;
  if (audio?.length === 0) throw new RangeError("generate: audio must hold at least one sample, got 0");
  return { text, reference, audio, pose };
}

/** @throws RangeError for a length that is no positive number */
function videoFrames(model: OmniHuman, { audio, pose }: Conditions, seconds: number | undefined): number {
  const { fps, segmentFrames } = model.config.clip;
  if (seconds !== undefined) {
    if (!(seconds > 0 && seconds < Infinity))
      throw new RangeError(`generate: seconds must be a positive number, got ${seconds}`);
    return frameCountOf(seconds * SAMPLE_RATE, fps);
  }
  if (audio) return frameCountOf(audio.length, fps);
  return pose ? Math.max(1, Math.round((frameCount(pose) / pose.fps) * fps)) : segmentFrames;
}

function report(
  { onProgress }: GenerateOptions,
  { length: segments }: readonly Segment[],
  { index: segment }: Segment,
  step: number,
  steps: number,
): void {
  onProgress?.({ segment, segments, step, steps, fraction: (segment * steps + step) / (segments * steps) });
}

function velocityAfter(motion: Tensor | null, { denoiser }: OmniHuman): BranchVelocity<StepConditions> {
  return eachBranch((noisy, t, conditions) =>
    denoiser.dit.forward({ ...NO_CONDITIONS, noisy, t, motion, ...conditions }),
  );
}

/** What a segment's new latent frames begin as, [1, C, T, h, w]. */
function noiseOf(rng: Rng, { config }: OmniHuman, { motionFrames }: Segment, { width, height }: FrameSize): Tensor {
  const { temporal, spatial } = compression(config.vae);
  const latentFrames = (frames: number): number => (frames === 0 ? 0 : 1 + (frames - 1) / temporal);
  const frames = latentFrames(config.clip.segmentFrames) - latentFrames(motionFrames);
  const shape = [1, config.dit.latentChannels, frames, height / spatial, width / spatial];
  const { truncation } = config.sampling;
  return truncation === null ? rng.normal(shape) : rng.truncatedNormal(shape, -truncation, truncation);
}

/**
 * Frames of a segment, motion frames included, and the latents of its last ones. They are encoded anew, not cut from `latents`: a clip's
 * first latent frame stands for one video frame, its later ones for four.
 */
async function decodeSegment(
  { vae, config }: OmniHuman,
  motion: Tensor | null,
  latents: Tensor,
  { coding, encodeMotion }: { readonly coding: SegmentCoding; readonly encodeMotion: boolean },
): Promise<{ readonly frames: readonly Picture[]; readonly motion: Tensor | null }> {
  const { motionFrames } = config.clip;
  let pieces: readonly Tensor[] = [];
  try {
    pieces = await decodeClip(vae, motion ? concat([motion, latents], { axis: 2 }) : latents, coding.segment);
    const video = lastPieces(pieces, motionFrames).slice(2, -motionFrames);
    const next = encodeMotion ? await encodeClip(vae, video, coding.motion) : null;
    const frames: Picture[] = [];
    for (const piece of pieces) frames.push(...(await videoToPictures(piece)));
    return { frames, motion: next };
  } finally {
    latents.dispose();
    for (const piece of pieces) piece.dispose();
  }
}

/** The least pieces from the end on that hold so many frames, joined. */
function lastPieces(pieces: readonly Tensor[], frames: number): Tensor {
  let held = 0;
  let first = pieces.length;
  while (held < frames && first > 0) held += pieces[--first]?.shape[2] ?? 0;
  const [only, ...more] = pieces.slice(first);
  if (!only) throw new RangeError("generate: a segment must have frames");
  return more.length === 0 ? only : concat([only, ...more], { axis: 2 });
}

async function codingOf(model: OmniHuman, size: FrameSize, asked: ClipCoding | undefined): Promise<SegmentCoding> {
  if (asked !== undefined) return { segment: asked, motion: asked, still: asked };
  return segmentCoding(model.config, size, await modelLimits(model));
}
