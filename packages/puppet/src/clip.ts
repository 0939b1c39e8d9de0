import { mouthAperture } from "./figure/face.ts";
import { closedMouth } from "./figure/state.ts";
import type { Framing } from "./figure/view.ts";
import type { Identity, Split } from "./identity.ts";
import { keypointNames, writeKeypoints } from "./keypoints.ts";
import type { MouthWindow } from "./mouth-measure.ts";
import { drawMotion, stateAt } from "./motion.ts";
import { boxNames, mouthWindowOf, writeBoxes } from "./parts.ts";
import { frameState, openRenderer, preparePerformance } from "./performance.ts";
import type { Performance, PerformanceOptions, SoundKind } from "./performance.ts";
import { hash, Random } from "./random.ts";

/** A clip with its ground truth. F frames of H×W pixels, K keypoints, B boxes. */
export interface PuppetClip {
  readonly seed: number;
  readonly split: Split;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** [F, H, W, 3] bytes, sRGB. */
  readonly video: Uint8Array;
  /** Mono, 16 kHz, round(F / fps · 16000) samples; sample 0 is the start of frame 0. */
  readonly audio: Float32Array;
  /** [F, K, 3]: x, y in pixels, visibility 0 or 1. Meant for the pose condition only where `poseVisible`. */
  readonly keypoints: Float32Array;
  /** [F], area of the mouth's opening over its greatest, 0–1. */
  readonly mouthOpening: Float32Array;
  /** [F, H, W], the part that each pixel shows (see `partNames`). */
  readonly labels: Uint8Array;
  /** [F, B, 4]: x0, y0, x1, y1 in pixels, in the order of `boxNames`. */
  readonly boxes: Float32Array;
  /** Where to measure the mouth, per frame. */
  readonly mouthWindows: readonly MouthWindow[];
  readonly caption: string;
  readonly framing: Framing;
  readonly identity: Identity;
  readonly text: string;
  readonly sound: SoundKind;
  readonly lipSync: boolean;
  readonly poseVisible: boolean;
  readonly reference: ReferenceFrame;
}

/** Another moment of the same person before the same camera. */
export interface ReferenceFrame {
  /** [H, W, 3] bytes. */
  readonly image: Uint8Array;
  /** [K, 3]. */
  readonly keypoints: Float32Array;
  /** [H, W]. */
  readonly labels: Uint8Array;
  readonly mouthOpening: number;
  readonly mouthWindow: MouthWindow;
}

/** One drawn frame of a performance, valid until the next one is drawn. */
export interface PuppetFrame {
  readonly index: number;
  /** [H, W, 3] bytes. */
  readonly image: Uint8Array;
  readonly labels: Uint8Array;
  readonly keypoints: Float32Array;
  readonly boxes: Float32Array;
  readonly mouthOpening: number;
  readonly mouthWindow: MouthWindow;
}

/** Draw a performance frame by frame in constant memory. */
export function* streamFrames(
  performance: Performance,
  from = 0,
  to: number = performance.frames,
): Generator<PuppetFrame> {
  const { width, height } = performance.view;
  const renderer = openRenderer(performance);
  const image = new Uint8Array(width * height * 3);
  const labels = new Uint8Array(width * height);
  const keypoints = new Float32Array(keypointNames.length * 3);
  const boxes = new Float32Array(boxNames.length * 4);
  for (let index = from; index < to; index++) {
    const skeleton = renderer.draw(frameState(performance, index), image, labels);
    writeKeypoints(skeleton, keypoints, 0);
    writeBoxes(skeleton, boxes, 0);
    yield {
      index,
      image,
      labels,
      keypoints,
      boxes,
      mouthOpening: mouthAperture(skeleton),
      mouthWindow: mouthWindowOf(skeleton),
    };
  }
}

/**
 * The clip of a seed, drawn at once.
 *
 * @param seed any integer; clips of different seeds are independent
 */
export function clip(seed: number, options: PerformanceOptions = {}): PuppetClip {
  return drawClip(preparePerformance(seed, options));
}

/** Draw all frames of a performance. */
export function drawClip(performance: Performance): PuppetClip {
  const { frames, view } = performance;
  const { width, height } = view;
  const pixels = width * height;
  const video = new Uint8Array(frames * pixels * 3);
  const labels = new Uint8Array(frames * pixels);
  const keypoints = new Float32Array(frames * keypointNames.length * 3);
  const boxes = new Float32Array(frames * boxNames.length * 4);
  const mouthOpening = new Float32Array(frames);
  const mouthWindows: MouthWindow[] = [];
  for (const frame of streamFrames(performance)) {
    video.set(frame.image, frame.index * pixels * 3);
    labels.set(frame.labels, frame.index * pixels);
    keypoints.set(frame.keypoints, frame.index * keypointNames.length * 3);
    boxes.set(frame.boxes, frame.index * boxNames.length * 4);
    mouthOpening[frame.index] = frame.mouthOpening;
    mouthWindows.push(frame.mouthWindow);
  }
  const { seed, split, fps, audio, caption, framing, identity, text, sound, lipSync, poseVisible } = performance;
  return {
    seed,
    split,
    frames,
    width,
    height,
    fps,
    video,
    audio,
    keypoints,
    mouthOpening,
    labels,
    boxes,
    mouthWindows,
    caption,
    framing,
    identity,
    text,
    sound,
    lipSync,
    poseVisible,
    reference: drawReference(performance),
  };
}

/**
 * Another moment: other motion, the mouth shut in seven of ten, but of those who say nothing in three of ten, or an open mouth would seem
 * to be a face's own.
 */
export function drawReference(performance: Performance): ReferenceFrame {
  const { identity, framing, track, view, seed } = performance;
  const random = new Random(hash(seed, "reference"));
  const motion = drawMotion(hash(seed, "reference motion"), identity, track, framing);
  const state = stateAt(motion, random.range(0.6, 60));
  const open = random.chance(track.placed.length > 0 ? 0.7 : 0.3) ? 0 : random.range(0.1, 0.8);
  const mouth = {
    ...closedMouth,
    open,
    width: random.range(0.3, 0.8),
    round: 0,
    teeth: 0.5,
    tongue: 0.4,
    smile: state.mouth.smile,
  };
  const image = new Uint8Array(view.width * view.height * 3);
  const labels = new Uint8Array(view.width * view.height);
  const keypoints = new Float32Array(keypointNames.length * 3);
  const skeleton = openRenderer(performance).draw({ ...state, mouth, leftEye: 1, rightEye: 1 }, image, labels);
  writeKeypoints(skeleton, keypoints, 0);
  return { image, keypoints, labels, mouthOpening: mouthAperture(skeleton), mouthWindow: mouthWindowOf(skeleton) };
}

/** An endless stream of clips: the seeds of one stream are hashed from its own, so streams of different seeds never meet. */
export async function* clips(seed: number, options: PerformanceOptions = {}): AsyncGenerator<PuppetClip> {
  for (let index = 0; ; index++) {
    yield clip(hash(seed, `clip ${index}`), options);
    // Let timers and input run between clips.
    await Promise.resolve();
  }
}
