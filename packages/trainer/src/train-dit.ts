import type { Wav2Vec2Encoder } from "@omni/audio";
import { Rng, tensor, type Tensor } from "@omni/core";
import { warmupHoldDecay } from "@omni/core/optim";
import { Denoiser, presets, type DenoiserConfig } from "@omni/human";
import { drawTimes, flowPoint } from "@omni/sampler";
import { TextTokenizer } from "@omni/text";
import type { CausalVae } from "@omni/vae";
import { EncodedClips, type ClipEncoder, type EncodedClip } from "./encoded-clips.ts";
import { runSteps, type LoopOptions, type SubmittedStep } from "./loop.ts";
import { Optimization } from "./optimization.ts";
import { measureReferenceKinds } from "./reference-kinds.ts";
import { RunState } from "./run-state.ts";
import type { ClipSize, ClipSource } from "./sample.ts";
import { ConditionDraw, halvingStages, RATIO_CONDITIONS, stageAt, type Stage } from "./stages.ts";
import { NANO_SIZES } from "./train-vae.ts";

export interface DitTraining extends Omit<LoopOptions, "from"> {
  readonly clips: ClipSource;
  /** Frozen. */
  readonly vae: CausalVae;
  /** Frozen. */
  readonly audio: Wav2Vec2Encoder;
  readonly config?: DenoiserConfig;
  readonly batch?: number;
  readonly sizes?: readonly ClipSize[];
  readonly stages?: readonly Stage[];
  /** Index of the first stage of this run: weights to start from have been through those before. */
  readonly firstStage?: number;
  readonly lr?: number;
  readonly seed?: number;
  /** Shift of the training times towards noise: what a mouth and a head do is settled early, while most of the picture is still noise. */
  readonly shift?: number;
  /** Weight in the loss of latent cells that hold nothing but a mouth; 1 is the paper's plain mean. */
  readonly movingGain?: number;
  /** Share of batches that continue a segment: their first latent frames are clean motion frames. */
  readonly motionRatio?: number;
  /** Largest noise on the latents of motion frames, in deviations: a later segment's are the model's own work, errors included. */
  readonly motionNoise?: number;
  /** Encoded clips kept of each size. */
  readonly capacity?: number;
  /** Batches that a freshly encoded batch is followed by before the next one. */
  readonly reuse?: number;
  readonly resume?: boolean;
  /** Weights to start a new run from; random ones by default. */
  readonly start?: Denoiser;
}

export interface TrainedDenoiser {
  readonly denoiser: Denoiser;
  /** Averaged weights by parameter name. */
  readonly average: Readonly<Record<string, Tensor>>;
}

/** Share of silent people whose caption may be read. */
const SILENT_TEXT = 0.3;

/** Text tokens of a training caption: all batches share one plan. */
const CAPTION_TOKENS = 32;

/**
 * Omni-conditions training of the denoiser with its text encoder and pose guider: flow matching through the stages, each condition active for its
 * share of the samples.
 *
 * @see OmniHuman-1, section 3.2
 */
export async function trainDit(options: DitTraining): Promise<TrainedDenoiser> {
  const { batch = 8, sizes = NANO_SIZES, stages = halvingStages, lr = 1e-3, seed = 0 } = options;
  const { firstStage = 0 } = options;
  const planned = stages.slice(firstStage);
  const { shift = 3, movingGain = 16, motionRatio = 0.5, motionNoise = 0.3, capacity = 512, reuse = 5 } = options;
  const { clip, dit } = options.config ?? presets.nano;
  const state = options.resume && options.checkpoint ? await RunState.read(options.checkpoint) : null;
  const encoder = { vae: options.vae, audio: options.audio, fps: clip.fps, tokensPerFrame: dit.audioTokensPerFrame };
  const denoiser =
    options.start ?? new Denoiser(await measured(options, encoder), { rng: new Rng(seed).fork("denoiser") });
  if (state) denoiser.loadStateDict(state.group("param"));
  await denoiser.realize();
  const schedule = warmupHoldDecay({ peak: lr, total: options.steps, warmup: 100 });
  const optimization = new Optimization(denoiser.parameters(), { lr: schedule, onPlan: options.onPlan }, state);
  const tokenizer = TextTokenizer.nano();
  const drawn = Number(state?.metadata["drawn"] ?? 0);
  const library = new EncodedClips({
    encoder,
    source: options.clips,
    sizes,
    frames: clip.segmentFrames,
    capacity,
    drawn,
  });
  const conditions = new ConditionDraw();
  let stage = -1;

  const step = async (index: number): Promise<SubmittedStep> => {
    const random = stepRandom(seed, index);
    const now = firstStage + stageAt(planned, index, options.steps);
    if (now !== stage) conditions.reset();
    stage = now;
    const ratios = stages[now]?.ratios ?? { text: 1, reference: 1, audio: 1, pose: 1 };
    const size = sizes[index % sizes.length] ?? { width: 64, height: 64 };
    const wanted = index % reuse === 0 || library.count(size) < 4 * batch ? batch : 0;
    const shelf = await library.shelf(size, wanted);
    const chosen = Array.from({ length: batch }, () => shelf[Math.floor(random() * shelf.length)]).filter(
      (c) => c !== undefined,
    );
    const active = chosen.map((c) => {
      // a caption says who is silent, too: where it always did, silence would not be heard
      const [audio, text] = c.silent ? [Math.sign(ratios.audio), random() < SILENT_TEXT] : [ratios.audio, true];
      const eligible = { text, reference: true, audio: c.lipSync, pose: c.poseVisible };
      return conditions.draw({ ...ratios, audio }, eligible, random);
    });
    // pre-training mixes single pictures with clips, as text-to-image data would
    const still = now === 0 && index % 2 === 1;
    const continues = !still && random() < motionRatio;
    const loss = denoiserLoss(denoiser, tokenizer, chosen, {
      size,
      frames: still ? 1 : clip.segmentFrames,
      motionFrames: continues ? 1 + (clip.motionFrames - 1) / 4 : 0,
      active: (name) => tensor(Float32Array.from(active, (a) => (a[name] ? 1 : 0))),
      rng: new Rng(seed).fork(`step ${index}`),
      shift,
      movingGain,
      motionNoise,
    });
    const { values } = await optimization.update(index, loss);
    const realised = Object.fromEntries(RATIO_CONDITIONS.map((c) => [`ratio.${c}`, conditions.realised[c]]));
    const more = { stage: now, motion: continues ? 1 : 0, ...realised };
    return { values: values.then((v) => ({ ...v, ...more })) };
  };
  await runSteps(
    { ...options, from: state?.step ?? 0 },
    step,
    () => optimization.state(),
    () => ({ drawn: String(library.drawn) }),
  );
  return { denoiser, average: optimization.average };
}

/** The config with the kinds of its reference prior measured on the latents that it will see, where it has one. */
async function measured(
  { config = presets.nano, clips, sizes = NANO_SIZES }: DitTraining,
  encoder: ClipEncoder,
): Promise<DenoiserConfig> {
  const [size] = sizes;
  if (config.dit.referencePrior.length === 0 || !size) return config;
  const referencePrior = await measureReferenceKinds(encoder, clips, size, config.clip.segmentFrames);
  return { ...config, dit: { ...config.dit, referencePrior } };
}

interface LossOptions {
  readonly size: ClipSize;
  readonly frames: number;
  /** Latent frames of clean context. */
  readonly motionFrames: number;
  readonly active: (name: "text" | "reference" | "audio" | "pose") => Tensor;
  readonly rng: Rng;
  readonly shift: number;
  readonly movingGain: number;
  readonly motionNoise: number;
}

/**
 * Flow-matching loss over the noised video tokens: mean of w (v̂ − v)², with v = ε − x_0 and w above 1 on moving parts.
 */
export function denoiserLoss(
  denoiser: Denoiser,
  tokenizer: TextTokenizer,
  clips: readonly EncodedClip[],
  { size, frames, motionFrames, active, rng, shift, movingGain, motionNoise }: LossOptions,
): Tensor {
  const { dit: config, pose } = denoiser.config;
  const batch = clips.length;
  const [h, w] = [size.height / 8, size.width / 8];
  const latentFrames = 1 + (frames - 1) / 4;
  const whole = (clips[0]?.latents.length ?? 0) / (config.latentChannels * h * w);
  const stacked = (values: readonly Float32Array[], shape: readonly number[]): Tensor =>
    stackRows(values, [batch, ...shape]);
  const x0 = stacked(
    clips.map((c) => c.latents),
    [config.latentChannels, whole, h, w],
  ).slice(2, 0, latentFrames);
  const moving = stacked(
    clips.map((c) => c.moving),
    [1, whole, h, w],
  ).slice(2, motionFrames, latentFrames);
  const clean = x0.slice(2, motionFrames);
  const t = drawTimes(rng.fork("t"), batch, { shift });
  const { xt, velocity } = flowPoint(clean, rng.fork("noise").normal(clean.shape), t);
  const perFrame = config.audioTokensPerFrame * config.audioDim;
  const { ids, mask } = tokenizer.batch(
    clips.map((c) => c.caption),
    { maxTokens: CAPTION_TOKENS, padTo: "max" },
  );
  const keypoints = stacked(
    clips.map((c) => c.keypoints.subarray(0, frames * pose.keypoints * 3)),
    [frames, pose.keypoints, 3],
  );
  const predicted = denoiser.dit.forward({
    noisy: xt,
    t,
    motion: motionFrames > 0 ? noisy(x0.slice(2, 0, motionFrames), motionNoise, rng.fork("motion")) : null,
    reference: stacked(
      clips.map((c) => c.reference),
      [config.latentChannels, 1, h, w],
    ),
    referenceActive: active("reference"),
    text: denoiser.text.forward(ids, mask),
    textMask: mask,
    textActive: active("text"),
    audio: stacked(
      clips.map((c) => c.audio.subarray(0, frames * perFrame)),
      [frames, config.audioTokensPerFrame, config.audioDim],
    ),
    audioMask: active("audio"),
    pose: denoiser.pose.fromKeypoints(keypoints, size),
    poseActive: active("pose"),
  });
  const weight = moving
    .minimum(1)
    .mul(movingGain - 1)
    .add(1);
  return predicted.sub(velocity).square().mul(weight).mean().div(weight.mean());
}

/** Each clip's latents [B, …] with normal noise of its own size, from none to `most`. */
function noisy(latents: Tensor, most: number, rng: Rng): Tensor {
  const [batch = 1, ...rest] = latents.shape;
  const size = rng.fork("size").uniform([batch, ...rest.map(() => 1)]);
  return latents.add(rng.fork("noise").normal(latents.shape).mul(size).mul(most));
}

function stackRows(rows: readonly Float32Array[], shape: readonly number[]): Tensor {
  const width = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => values.set(row, i * width));
  return tensor(values, { shape });
}

/** Uniform numbers of one step, the same whenever it is run. */
function stepRandom(seed: number, step: number): () => number {
  let s = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b)) >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let x = Math.imul(s ^ (s >>> 15), s | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
