import { Rng, type Tensor } from "@omni/core";
import { warmupHoldDecay } from "@omni/core/optim";
import { presets } from "@omni/human";
import {
  blocksOf,
  CausalVae,
  compression,
  LatentStatisticsCollector,
  movingPartWeights,
  principalCode,
  vaeLoss,
  vaePresets,
  type VaeConfig,
  type VaeLossOptions,
} from "@omni/vae";
import { Adversary, type AdversarialOptions } from "./adversary.ts";
import { movingTensor, videoTensor } from "./batch.ts";
import { runSteps, type LoopOptions, type SubmittedStep } from "./loop.ts";
import { Optimization } from "./optimization.ts";
import { RunState } from "./run-state.ts";
import type { ClipSize, ClipSource } from "./sample.ts";
import { stageAt } from "./stages.ts";

/** A part of an autoencoder's training. */
export interface VaePhase {
  /** Share of the run's steps. */
  readonly share: number;
  /** Frames a clip, 1 + 4n. */
  readonly frames: number;
  readonly batch: number;
}

/** Single pictures of many people first, which a frame of a clip costs as much as but teaches more; then clips, for what moves. */
export const nanoVaePhases: readonly VaePhase[] = [
  { share: 0.2, frames: 1, batch: 16 },
  { share: 0.8, frames: 13, batch: 2 },
];

export interface VaeTraining extends Omit<LoopOptions, "from"> {
  readonly clips: ClipSource;
  readonly config?: VaeConfig;
  readonly phases?: readonly VaePhase[];
  /** Frame sizes; batches take them in turn. */
  readonly sizes?: readonly ClipSize[];
  readonly lr?: number;
  readonly seed?: number;
  /** Weight of moving parts in the loss. */
  readonly movingGain?: number;
  /** Leaves the latents as they are, for a denoiser that has been trained on them, and trains the decoder alone; needs `start`, when resumed too. */
  readonly decoderOnly?: boolean;
  /** Largest deviation of the noise that the decoder must see through, in deviations of the latents; 0 is none. */
  readonly latentNoise?: number;
  /** Weights of the loss's parts, and features to compare; what is left out is as in `vaeLoss`. */
  readonly loss?: Pick<VaeLossOptions, "l1Weight" | "l2Weight" | "klWeight" | "perceptual">;
  /** Draws latents from the posterior; the decoder gets its mean by default. */
  readonly sampleLatents?: boolean;
  /** Trains against a discriminator. Default null. */
  readonly adversarial?: AdversarialOptions | null;
  /** Go on from the checkpoint file. */
  readonly resume?: boolean;
  /** Weights to start a new run from; random ones by default. */
  readonly start?: CausalVae;
}

/** How much more a pixel of a mouth, an eye or a hand counts: what the eye looks at covers a few percent of the frame. */
const MOVING_GAIN = 10;

/** Batches that latent statistics are measured on. */
const STATISTICS_BATCHES = 24;

const nanoSizes = presets.nano.clip.sizes;

/** Sizes of the nano model; squares come twice as often. */
export const NANO_SIZES: readonly ClipSize[] = [nanoSizes[0], ...nanoSizes];

/**
 * Trains the causal autoencoder and measures the statistics that normalise its latents.
 *
 * @returns the model with averaged weights
 */
export async function trainVae(options: VaeTraining): Promise<CausalVae> {
  const {
    clips,
    config = vaePresets.nano,
    phases = nanoVaePhases,
    sizes = NANO_SIZES,
    lr = 2e-3,
    seed = 0,
    movingGain = MOVING_GAIN,
    decoderOnly = false,
    latentNoise: deviation = 0,
    sampleLatents = false,
  } = options;
  const state = options.resume && options.checkpoint ? await RunState.read(options.checkpoint) : null;
  const vae = options.start ?? new CausalVae(config, new Rng(seed).fork("vae"));
  if (state) vae.loadStateDict(state.group("param"));
  else if (!options.start && config.patchShortcut) await startShortcut(vae, options);
  await vae.realize();
  const schedule = warmupHoldDecay({ peak: lr, total: options.steps, warmup: 50, hold: 0.5, final: 0.05 });
  // the linear code stays as it was computed: the steps go into what it cannot say
  const frozen = decoderOnly ? ["shortcut.", "encoder.", "quant."] : ["shortcut."];
  const isLearned = (name: string): boolean => !frozen.some((part) => name.startsWith(part));
  const named = Object.entries(vae.parameters());
  const kept = named.filter(([name]) => !isLearned(name));
  const learned = Object.fromEntries(named.filter(([name]) => isLearned(name)));
  const optimization = new Optimization(learned, { lr: schedule, emaDecay: 0.995, onPlan: options.onPlan }, state);
  const adversary =
    options.adversarial &&
    (await new Adversary(options.adversarial, new Rng(seed).fork("discriminator"), state).realize());
  const checkpoint = function* (): Generator<[string, Tensor]> {
    yield* optimization.state();
    if (adversary) yield* adversary.state();
    for (const [name, value] of kept) yield [`param/${name}`, value];
  };

  const widest = Math.max(...phases.map((p) => p.batch));
  const batchAt = (step: number): { readonly video: Tensor; readonly moving: Tensor } => {
    const { frames, batch } = phases[stageAt(phases, step, options.steps)] ?? { frames: 13, batch: 2 };
    const size = sizes[step % sizes.length] ?? { width: 64, height: 64 };
    const drawn = Array.from({ length: batch }, (_, i) => clips(step * widest + i, { ...size, frames }));
    return {
      video: videoTensor(
        drawn.map((c) => c.video),
        frames,
        size.height,
        size.width,
      ),
      moving: movingTensor(drawn),
    };
  };
  const step = async (index: number): Promise<SubmittedStep> => {
    const { video, moving } = batchAt(index);
    const rng = new Rng(seed).fork(`latent noise ${index}`);
    const latentNoise = deviation > 0 ? { deviation, rng } : null;
    const { loss, reconstruction, perceptual, kl, mse, decoded } = vaeLoss(
      vae,
      video,
      movingPartWeights(moving, movingGain),
      { ...options.loss, latentNoise, rng: sampleLatents ? new Rng(seed).fork(`latents ${index}`) : null },
    );
    const lastLayer = vae.decoder.convOut.weight;
    const verdict = adversary?.judge(index, { video, decoded, reconstruction: loss, lastLayer }) ?? null;
    const { values } = await optimization.update(
      index,
      verdict ? loss.add(verdict.loss) : loss,
      { mse, reconstruction, kl, ...(perceptual && { perceptual }), ...verdict?.values },
      verdict?.updates,
    );
    return { values: values.then(({ mse: error = 1, ...v }) => ({ ...v, psnr: 10 * Math.log10(4 / error) })) };
  };
  await runSteps({ ...options, from: state?.step ?? 0 }, step, checkpoint, () => adversary?.metadata ?? {});

  vae.loadStateDict({ ...Object.fromEntries(kept), ...optimization.average });
  await vae.realize();
  if (decoderOnly) return vae;
  const statistics = new LatentStatisticsCollector();
  for (let i = 0; i < STATISTICS_BATCHES; i++)
    await statistics.add(vae.encodeMoments(batchAt(options.steps + i).video).mean);
  vae.setLatentStatistics(statistics.finish());
  return vae;
}

/** Clips whose blocks the linear code is measured on, and frames of each. */
const CODE_CLIPS = 96;
const CODE_FRAMES = 9;

/** How much more change within a block counts than what stands still. */
const CHANGE_GAIN = 2;

/** Starts the linear shortcut at the principal components of blocks of pixels, moving ones counting for more. */
async function startShortcut(
  vae: CausalVae,
  { clips, sizes = NANO_SIZES, movingGain = MOVING_GAIN }: VaeTraining,
): Promise<void> {
  const { temporal: frames, spatial: size } = compression(vae.config);
  const block = frames * size * size * 3;
  const rows: Float32Array[] = [];
  const weights: number[] = [];
  for (let i = 0; i < CODE_CLIPS; i++) {
    const { width, height } = sizes[i % sizes.length] ?? { width: 64, height: 64 };
    const clip = clips(i, { width, height, frames: CODE_FRAMES });
    const video = await blocksOf(videoTensor([clip.video], CODE_FRAMES, height, width), { frames, size }, true).data();
    // the mask as a video of three equal channels goes through the same blocks
    const moving = movingTensor([clip]).repeat(3, 1);
    const masks = await blocksOf(moving, { frames, size }, true).data();
    rows.push(Float32Array.from(video));
    for (let at = 0; at < masks.length; at += block) {
      let share = 0;
      for (let k = 0; k < block; k++) share += masks[at + k] ?? 0;
      weights.push(1 + ((movingGain - 1) * share) / block);
    }
  }
  const joined = new Float32Array(rows.reduce((n, r) => n + r.length, 0));
  let at = 0;
  for (const r of rows) {
    joined.set(r, at);
    at += r.length;
  }
  const shape = { plane: block / frames, frames, width: vae.config.zDim, changeGain: CHANGE_GAIN };
  vae.setPatchCode(await principalCode(joined, Float32Array.from(weights), shape));
}
