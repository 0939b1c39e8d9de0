import { featureDim, streamFrameFeatures } from "@omni/audio";
import { realize, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { frameCount, resampleTrack } from "@omni/pose";
import type { KeypointTrack } from "@omni/pose";
import { encodeClip } from "@omni/vae";
import type { ClipCoding } from "@omni/vae";
import type { Conditions } from "./conditions.ts";
import { FeatureWindow } from "./feature-window.ts";
import type { StepConditions } from "./guide.ts";
import type { OmniHuman } from "./model.ts";
import { pictureToVideo } from "./picture.ts";
import type { Segment } from "./segments.ts";
import type { FrameSize } from "./sizes.ts";

/** Conditions that hold for the whole video. */
export type StillConditions = Pick<StepConditions, "reference" | "text" | "textMask">;
/** Conditions that change with the segment. */
export type MovingConditions = Pick<StepConditions, "audio" | "pose">;

/** Encodes reference and text once; realised, the caller disposes them. */
export async function encodeStill(
  model: OmniHuman,
  { reference, text }: Conditions,
  coding: ClipCoding,
): Promise<StillConditions> {
  const still = {
    reference: reference && (await encodeClip(model.vae, pictureToVideo(reference), coding)),
    text: null,
    textMask: null,
    ...(text !== null && pickText(model, text)),
  };
  await realizeAll(still);
  return still;
}

function pickText(model: OmniHuman, caption: string): Pick<StillConditions, "text" | "textMask"> {
  const { text, textMask } = model.encodeText(caption);
  return { text, textMask };
}

/** Encodes sound and pose segment by segment, in order. */
export class MovingEncoder {
  readonly #model: OmniHuman;
  readonly #audio: FeatureWindow | null;
  readonly #pose: KeypointTrack | null;
  readonly #size: FrameSize;

  /**
   * @param frames of the video as generated, the cut ones at its end included
   * @throws ShapeError where the keypoints are not the denoiser's
   */
  constructor(model: OmniHuman, { audio, pose }: Conditions, size: FrameSize, frames: number) {
    const { clip, dit } = model.config;
    const tokensPerFrame = dit.audioTokensPerFrame;
    const rate = { fps: clip.fps, tokensPerFrame, frames };
    this.#model = model;
    this.#size = size;
    this.#audio =
      audio && new FeatureWindow(streamFrameFeatures(model.audio, audio, rate), tokensPerFrame * dit.audioDim);
    this.#pose = pose && checkTrack(model, resampleTrack(pose, clip.fps));
  }

  /** Features of all frames of a segment, motion frames included; realised, the caller disposes them. */
  async encode({ start }: Segment): Promise<MovingConditions> {
    const count = this.#model.config.clip.segmentFrames;
    const moving = {
      audio: this.#audio && this.#audioTensor(await this.#audio.take(start, count), count),
      pose: this.#pose && this.#poseChannels(this.#pose, start, count),
    };
    await realizeAll(moving);
    return moving;
  }

  async close(): Promise<void> {
    await this.#audio?.close();
  }

  #audioTensor(features: Float32Array<ArrayBuffer>, count: number): Tensor {
    const { audio, dit } = this.#model.config;
    return tensor(features, { shape: [1, count, dit.audioTokensPerFrame, featureDim(audio)] });
  }

  #poseChannels(track: KeypointTrack, start: number, count: number): Tensor {
    const points = track.schema.keypoints.length;
    const perFrame = 3 * points;
    const last = frameCount(track) - 1;
    const window = new Float32Array(count * perFrame);
    for (let i = 0; i < count; i++) {
      const frame = Math.min(start + i, last); // past its end the last pose stands
      window.set(track.points.subarray(frame * perFrame, (frame + 1) * perFrame), i * perFrame);
    }
    const keypoints = tensor(window, { shape: [1, count, points, 3] });
    return this.#model.denoiser.pose.fromKeypoints(keypoints, this.#size);
  }
}

function checkTrack(model: OmniHuman, track: KeypointTrack): KeypointTrack {
  const { keypoints } = model.config.pose;
  if (track.schema.keypoints.length === keypoints && frameCount(track) > 0) return track;
  throw new ShapeError(
    `generate: pose must have ${keypoints} keypoints a frame and at least one frame, got ${track.schema.keypoints.length} and ${frameCount(track)}; convert it with convertTrack`,
  );
}

type Parts = Readonly<Record<string, Tensor | null>>;

async function realizeAll(parts: { readonly [K in keyof StepConditions]?: Tensor | null }): Promise<void> {
  await realize(Object.values<Tensor | null>(parts satisfies Parts).filter((part) => part !== null));
}

/** Gives the memory of encoded conditions back. */
export function disposeAll(parts: { readonly [K in keyof StepConditions]?: Tensor | null }): void {
  for (const part of Object.values<Tensor | null>(parts satisfies Parts)) part?.dispose();
}
