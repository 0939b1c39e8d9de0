import { presets as audioPresets, SAMPLE_RATE, stackStates, Wav2Vec2Encoder } from "@omni/audio";
import type { AudioConfig } from "@omni/audio";
import { metaTensor, toMeta } from "@omni/core";
import type { Tensor } from "@omni/core";
import { MMDiT, NO_CONDITIONS, Sd3Transformer, sd3Presets, WanDit, wanPresets } from "@omni/dit";
import { codingLimits, planSegments, presets as humanPresets, segmentCoding } from "@omni/human";
import type { HumanConfig } from "@omni/human";
import { PoseGuider } from "@omni/pose";
import { presets as textPresets, T5Encoder } from "@omni/text";
import type { TextConfig } from "@omni/text";
import { CausalVae, vaePresets } from "@omni/vae";
import type { VaeConfig } from "@omni/vae";
import { decodeSegment, encodeFrames, latentSize } from "./coding-phases.ts";
import type { LatentSize } from "./coding-phases.ts";
import { weightBytes } from "./plan.ts";
import type { PlanLimits, PlanModel, PlanPhase, PlanTask } from "./plan-model.ts";

/** Wan2.1 makes 16 frames a second. */
const WAN_FPS = 16;
const WAN_STEPS = 50;
const SD3_STEPS = 28;
const SD3_TOKENS = 333;

/** The least 1 + 4n that is at least so many. */
const causalFrames = (frames: number): number => 1 + 4 * Math.ceil(Math.max(0, frames - 1) / 4);

/** Guided velocity and Euler's step, as the sampler runs them: both branches in one plan. */
const guidedStep = (noisy: Tensor, full: Tensor, dropped: Tensor): Tensor =>
  noisy.add(dropped.add(full.sub(dropped).mul(6)).mul(-0.02));

function encodeText(encoder: T5Encoder, { maxTokens }: TextConfig, runs: number): PlanPhase {
  return {
    name: "encode text",
    runs,
    graph: () => [encoder.forward(metaTensor([1, maxTokens], "i32"), metaTensor([1, maxTokens]))],
    remedy: "StreamedT5Encoder holds one layer at a time",
  };
}

function encodeAudio(encoder: Wav2Vec2Encoder, seconds: number, runs: number): PlanPhase {
  const samples = Math.round(seconds * SAMPLE_RATE);
  const graph = () => [stackStates(encoder.forward(metaTensor([1, samples])).hidden)];
  return { name: "encode sound", runs, graph, remedy: "streamFrameFeatures takes it in chunks" };
}

function decode(vae: CausalVae, { frames, height, width }: LatentSize, runs: number): PlanPhase {
  return {
    name: "decode frames",
    runs,
    graph: () => [vae.decode(metaTensor([1, vae.config.zDim, frames, height, width]))],
    remedy: "decodeFrames(latents, { tiling: { size: 32 } }) takes a latent frame and a tile at a time",
  };
}

function human(config: HumanConfig, task: PlanTask, { memory, binding }: PlanLimits): PlanModel {
  const { clip, dit: ditConfig, sampling } = config;
  const { width, height, seconds, dtype } = task;
  const frames = Math.max(1, Math.round(seconds * clip.fps));
  const segments = planSegments(frames, clip).length;
  const steps = task.steps ?? sampling.steps;
  const [vae, audio, text, pose, dit] = [
    toMeta(new CausalVae(config.vae), dtype),
    toMeta(new Wav2Vec2Encoder(config.audio), dtype),
    toMeta(new T5Encoder(config.text), dtype),
    toMeta(new PoseGuider(config.pose), dtype),
    toMeta(new MMDiT(ditConfig), dtype),
  ];
  const weights = [vae, audio, text, pose, dit].reduce((sum, part) => sum + weightBytes(part), 0);
  const coding = segmentCoding(config, { width, height }, codingLimits(memory, binding, weights));
  const size = latentSize(config.vae, task, clip.segmentFrames);
  const latents = (count: number): Tensor => metaTensor([1, ditConfig.latentChannels, count, size.height, size.width]);
  const step = (): Tensor[] => {
    const inputs = { ...NO_CONDITIONS, noisy: latents(size.frames), t: metaTensor([1]), reference: latents(1) };
    const full = dit.forward({
      ...inputs,
      text: metaTensor([1, config.text.maxTokens, ditConfig.textDim]),
      audio: metaTensor([1, clip.segmentFrames, ditConfig.audioTokensPerFrame, ditConfig.audioDim]),
    });
    return [guidedStep(inputs.noisy, full, dit.forward(inputs))];
  };
  return {
    summary:
      `${seconds} s of ${width}×${height} at ${clip.fps} frames a second: ${segments} segment${segments > 1 ? "s" : ""} of ` +
      `${clip.segmentFrames} frames, ${steps} steps each, each with and without sound and text`,
    parts: [
      { name: "denoiser", module: dit },
      { name: "text encoder", module: text },
      { name: "sound encoder", module: audio },
      { name: "autoencoder", module: vae },
      { name: "pose guider", module: pose },
    ],
    phases: [
      encodeText(text, config.text, 1),
      encodeAudio(audio, clip.segmentFrames / clip.fps, segments),
      encodeFrames(vae, "encode picture", { frames: 1, height, width }, coding.still, 1),
      { name: "denoise", runs: segments * steps, graph: step, remedy: "a smaller size or shorter segments" },
      decodeSegment(vae, size, coding.segment, segments),
      ...(segments > 1
        ? [
            encodeFrames(
              vae,
              "encode motion",
              { frames: clip.motionFrames, height, width },
              coding.motion,
              segments - 1,
            ),
          ]
        : []),
    ],
  };
}

function wan(name: keyof typeof wanPresets, task: PlanTask): PlanModel {
  const { width, height, seconds, dtype } = task;
  const config = wanPresets[name];
  const frames = causalFrames(Math.round(seconds * WAN_FPS));
  const steps = task.steps ?? WAN_STEPS;
  const dit = toMeta(new WanDit(config), dtype);
  const text = toMeta(new T5Encoder(textPresets["umt5-xxl"]), dtype);
  const vae = toMeta(new CausalVae(vaePresets.wan21), dtype);
  const size = latentSize(vae.config, task, frames);
  const step = (): Tensor[] => {
    const noisy = metaTensor([1, config.latentChannels, size.frames, size.height, size.width]);
    const branch = (): Tensor => {
      const words = metaTensor([1, textPresets["umt5-xxl"].maxTokens, config.textDim]);
      return dit.forward({ ...NO_CONDITIONS, noisy, t: metaTensor([1]), text: words });
    };
    return [guidedStep(noisy, branch(), branch())];
  };
  return {
    summary: `${frames} frames of ${width}×${height} at ${WAN_FPS} a second, ${steps} steps, each with and without the prompt`,
    parts: [
      { name: "denoiser", module: dit },
      { name: "text encoder", module: text },
      { name: "autoencoder", module: vae },
    ],
    phases: [
      encodeText(text, textPresets["umt5-xxl"], 2),
      { name: "denoise", runs: steps, graph: step, remedy: "a smaller size or fewer seconds" },
      decode(vae, size, 1),
    ],
  };
}

function sd3({ width, height, dtype, steps }: PlanTask): PlanModel {
  const config = sd3Presets["sd3-medium"];
  const dit = toMeta(new Sd3Transformer(config), dtype);
  const runs = steps ?? SD3_STEPS;
  const step = (): Tensor[] => {
    const noisy = metaTensor([1, config.latentChannels, height / 8, width / 8]);
    const branch = (): Tensor =>
      dit.forward({
        noisy,
        timestep: metaTensor([1]),
        text: metaTensor([1, SD3_TOKENS, config.textDim]),
        pooled: metaTensor([1, config.pooledDim]),
      });
    return [guidedStep(noisy, branch(), branch())];
  };
  return {
    summary: `a picture of ${width}×${height}, ${runs} steps, each with and without the prompt; the transformer alone`,
    parts: [{ name: "denoiser", module: dit }],
    phases: [{ name: "denoise", runs, graph: step, remedy: "a smaller size" }],
  };
}

function autoencoder(config: VaeConfig, task: PlanTask, fps: number): PlanModel {
  const { width, height, seconds, dtype } = task;
  const vae = toMeta(new CausalVae(config), dtype);
  const frames = causalFrames(Math.round(seconds * fps));
  return {
    summary: `${frames} frames of ${width}×${height}, at once`,
    parts: [{ name: "autoencoder", module: vae }],
    phases: [
      {
        name: "encode frames",
        runs: 1,
        graph: () => [vae.encode(metaTensor([1, 3, frames, height, width]))],
        remedy: "encodeStream({ tiling: { size: 32 } }) takes some frames and a tile at a time",
      },
      decode(vae, latentSize(config, task, frames), 1),
    ],
  };
}

function textEncoder(config: TextConfig, { dtype }: PlanTask): PlanModel {
  const encoder = toMeta(new T5Encoder(config), dtype);
  return {
    summary: `a text of ${config.maxTokens} tokens`,
    parts: [{ name: "text encoder", module: encoder }],
    phases: [encodeText(encoder, config, 1)],
  };
}

function soundEncoder(config: AudioConfig, { seconds, dtype }: PlanTask): PlanModel {
  const encoder = toMeta(new Wav2Vec2Encoder(config), dtype);
  return {
    summary: `${seconds} s of sound, at once`,
    parts: [{ name: "sound encoder", module: encoder }],
    phases: [encodeAudio(encoder, seconds, 1)],
  };
}

/** What can be planned: the presets of the whole system, then public layouts. */
export const planPresets = {
  nano: (task, limits) => human(humanPresets.nano, task, limits),
  small: (task, limits) => human(humanPresets.small, task, limits),
  base: (task, limits) => human(humanPresets.base, task, limits),
  "seaweed-8b": (task, limits) => human(humanPresets["seaweed-8b"], task, limits),
  "wan-1.3b": (task) => wan("wan2.1-t2v-1.3b", task),
  "wan-14b": (task) => wan("wan2.1-t2v-14b", task),
  "sd3-medium": (task) => sd3(task),
  "wan-vae": (task) => autoencoder(vaePresets.wan21, task, WAN_FPS),
  "umt5-xxl": (task) => textEncoder(textPresets["umt5-xxl"], task),
  "wav2vec2-base": (task) => soundEncoder(audioPresets.base, task),
  "wav2vec2-large": (task) => soundEncoder(audioPresets.large, task),
} as const satisfies Record<string, (task: PlanTask, limits: PlanLimits) => PlanModel>;

/** Name of what can be planned. */
export type PlanPreset = keyof typeof planPresets;

/** What is planned where the command does not say. */
export const planDefaults = (
  preset: PlanPreset,
): { readonly width: number; readonly height: number; readonly seconds: number } => {
  if (preset === "nano") return { width: 64, height: 64, seconds: 4 };
  return preset === "sd3-medium" ? { width: 1024, height: 1024, seconds: 0 } : { width: 832, height: 480, seconds: 5 };
};
