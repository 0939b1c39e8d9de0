import { featureDim, presets as audioPresets } from "@omni/audio";
import type { AudioConfig } from "@omni/audio";
import { parseDitConfig, presets as ditPresets, TEMPORAL_STRIDE } from "@omni/dit";
import type { DitConfig } from "@omni/dit";
import { guiderStride, poseGuiderPresets } from "@omni/pose";
import type { PoseGuiderConfig } from "@omni/pose";
import type { GuidanceCurve } from "@omni/sampler";
import { parseTextConfig, presets as textPresets } from "@omni/text";
import type { TextConfig } from "@omni/text";
import { compression, vaePresets } from "@omni/vae";
import type { VaeConfig } from "@omni/vae";
import * as z from "zod";
import { ConfigError } from "./config-error.ts";
import { PICTURE_MULTIPLE } from "./sizes.ts";
import type { FrameSize } from "./sizes.ts";

/** Clips as the model was trained on them. */
export interface ClipConfig {
  /** Video frames a second. */
  readonly fps: number;
  /** Video frames of a segment, motion frames included: 1 + 4n. */
  readonly segmentFrames: number;
  /** Last frames of the previous segment that open a later one: 1 + 4n. */
  readonly motionFrames: number;
  /** Frame sizes, pixels; multiples of 16. */
  readonly sizes: readonly FrameSize[];
}

/** What `generate` does where its caller does not say. */
export interface SamplingConfig {
  /** Solver steps a segment. */
  readonly steps: number;
  /** Resolution and length shift of the schedule; 1 is none. */
  readonly shift: number;
  /**
   * Largest size of the noise that a segment begins as, in deviations; null leaves it normal. A small model cannot clean what is farthest out: it
   * stays as flecks.
   *
   * @see Brock et al. 2019, "Large Scale GAN Training", section 3.1: the truncation trick
   */
  readonly truncation: number | null;
  /** Guidance on audio and text. */
  readonly guidance: GuidanceCurve;
  /** Caption where none is given; null leaves the text out. */
  readonly text: string | null;
}

/** What travels with the weights of the jointly trained parts: denoiser, text encoder, pose guider. */
export interface DenoiserConfig {
  readonly dit: DitConfig;
  readonly text: TextConfig;
  readonly pose: PoseGuiderConfig;
  readonly clip: ClipConfig;
  readonly sampling: SamplingConfig;
}

/** The whole system. */
export interface HumanConfig extends DenoiserConfig {
  readonly vae: VaeConfig;
  readonly audio: AudioConfig;
}

/**
 * A system around one of the larger denoisers: Wan2.1's autoencoder, wav2vec2-base and UMT5-XXL by their public layouts. Clips are 5 s at 720p;
 * the paper says neither frame rate nor steps.
 */
const large = (dit: DitConfig) =>
  ({
    vae: vaePresets.wan21,
    audio: audioPresets.base,
    text: textPresets["umt5-xxl"],
    pose: poseGuiderPresets.large,
    dit,
    clip: { fps: 25, segmentFrames: 125, motionFrames: 5, sizes: [{ width: 720, height: 1280 }] },
    sampling: {
      steps: 50,
      shift: 3,
      truncation: null,
      guidance: { kind: "linear", start: 6.5, end: 1 },
      text: null,
    },
  }) as const satisfies HumanConfig;

/** `nano` is the shipped model: 2 s segments of 12.5 frames a second, about 64×64 pixels. The others are layouts without weights. */
export const presets = {
  nano: {
    vae: vaePresets.nano,
    audio: audioPresets.nano,
    text: textPresets.nano,
    pose: poseGuiderPresets.nano,
    dit: ditPresets.nano,
    clip: {
      fps: 12.5,
      segmentFrames: 25,
      motionFrames: 5,
      sizes: [
        { width: 64, height: 64 },
        { width: 48, height: 80 },
        { width: 80, height: 48 },
      ],
    },
    sampling: {
      steps: 4,
      shift: 1,
      // measured: 3 dB of the still parts beside normal noise; the mouth as it was
      truncation: 1.5,
      // measured beside 6.5 → 1: the mouth follows the sound better, and shuts better in silence; more burns the colours of faces
      guidance: { kind: "linear", start: 8, end: 4 },
      text: null,
    },
  },
  small: large(ditPresets.small),
  base: large(ditPresets.base),
  "seaweed-8b": large(ditPresets["seaweed-8b"]),
} as const satisfies Record<string, HumanConfig>;

/** Name of a built-in configuration. */
export type HumanPreset = keyof typeof presets;

const count = z.int().min(1);
const finite = z.number();

const poseSchema: z.ZodType<PoseGuiderConfig> = z.strictObject({
  keypoints: count,
  heatmapStride: count,
  sigma: z.strictObject({ unit: z.enum(["pixels", "fraction"]), value: finite.positive() }),
  layers: z.array(
    z.strictObject({
      channels: count,
      temporalStride: z.literal([1, 2]),
      spatialStride: z.literal([1, 2]),
    }),
  ),
  outChannels: count,
  zeroInit: z.boolean(),
});

const causalFrames = count.refine((n) => (n - 1) % TEMPORAL_STRIDE === 0, "must be 1 + 4n");
const side = count.multipleOf(PICTURE_MULTIPLE);

const clipSchema: z.ZodType<ClipConfig> = z
  .strictObject({
    fps: finite.positive(),
    segmentFrames: causalFrames,
    motionFrames: causalFrames,
    sizes: z.array(z.strictObject({ width: side, height: side })).min(1),
  })
  .refine(
    ({ segmentFrames, motionFrames }) => motionFrames < segmentFrames,
    "motionFrames must be below segmentFrames",
  );

const guidanceSchema: z.ZodType<GuidanceCurve> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant"), scale: finite }),
  z.strictObject({ kind: z.literal("linear"), start: finite, end: finite }),
  z.strictObject({ kind: z.literal("cosine"), start: finite, end: finite }),
  z.strictObject({ kind: z.literal("interval"), scale: finite, from: finite, to: finite }),
]);

const samplingSchema: z.ZodType<SamplingConfig> = z.strictObject({
  steps: count,
  shift: finite.positive(),
  // files from before it was there leave the noise normal
  truncation: finite.positive().nullable().default(null),
  guidance: guidanceSchema,
  text: z.string().nullable(),
});

const denoiserSchema = z.strictObject({
  dit: z.unknown().transform(parseDitConfig),
  text: z.unknown().transform(parseTextConfig),
  pose: poseSchema,
  clip: clipSchema,
  sampling: samplingSchema,
});

/**
 * Checks a configuration that comes from outside, such as a checkpoint's metadata.
 *
 * @throws ConfigError naming the field that is missing, unknown or wrong
 */
export function parseDenoiserConfig(value: unknown): DenoiserConfig {
  const parsed = denoiserSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigError(`DenoiserConfig.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "does not fit"}`);
}

/** Rules between the parts. @throws ConfigError */
export function checkHumanConfig(config: HumanConfig): void {
  const { vae, audio, text, pose, dit } = config;
  const vaeStride = compression(vae);
  const poseStride = guiderStride(pose);
  const rules = [
    ["dit.latentChannels", dit.latentChannels, "vae.zDim", vae.zDim],
    ["dit.audioDim", dit.audioDim, "the audio encoder's feature width", featureDim(audio)],
    ["dit.textDim", dit.textDim, "text.width", text.width],
    ["dit.poseChannels", dit.poseChannels, "pose.outChannels", pose.outChannels],
    ["the vae's temporal stride", vaeStride.temporal, "the denoiser's", TEMPORAL_STRIDE],
    ["the pose guider's temporal stride", poseStride.temporal, "the vae's", vaeStride.temporal],
    ["the pose guider's spatial stride", poseStride.spatial, "the vae's", vaeStride.spatial],
  ] as const;
  for (const [left, a, right, b] of rules)
    if (a !== b) throw new ConfigError(`HumanConfig: ${left} must equal ${right}, got ${a} and ${b}`);
}
