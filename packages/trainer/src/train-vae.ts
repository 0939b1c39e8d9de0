import { Rng } from "@omni/core";
import { warmupHoldDecay } from "@omni/core/optim";
import { CausalVae, LatentStatisticsCollector, movingPartWeights, vaeLoss, vaePresets, type VaeConfig } from "@omni/vae";
import { movingTensor, videoTensor } from "./batch.ts";
import { runSteps, type LoopOptions } from "./loop.ts";
import { Optimization } from "./optimization.ts";
import { RunState } from "./run-state.ts";
import type { ClipSize, ClipSource } from "./sample.ts";

export interface VaeTraining extends Omit<LoopOptions, "from"> {
  readonly clips: ClipSource;
  readonly config?: VaeConfig;
  readonly batch?: number;
  /** Frames a clip, 1 + 4n. */
  readonly frames?: number;
  /** Frame sizes; batches take them in turn. */
  readonly sizes?: readonly ClipSize[];
  readonly lr?: number;
  readonly seed?: number;
  /** Weight of moving parts in the loss. */
  readonly movingGain?: number;
  /** Go on from the checkpoint file. */
  readonly resume?: boolean;
}

/** Sizes of the nano model: about 64×64 pixels, multiples of 16. */
export const NANO_SIZES: readonly ClipSize[] = [
  { width: 64, height: 64 },
  { width: 64, height: 64 },
  { width: 48, height: 80 },
  { width: 80, height: 48 },
];

/**
 * Trains the causal autoencoder and measures the statistics that normalise its latents.
 *
 * @returns the model with averaged weights
 */
export async function trainVae(options: VaeTraining): Promise<CausalVae> {
  const { clips, config = vaePresets.nano, batch = 8, frames = 13, sizes = NANO_SIZES, lr = 2e-3, seed = 0, movingGain = 5 } = options;
  const state = options.resume && options.checkpoint ? await RunState.read(options.checkpoint) : null;
  const vae = new CausalVae(config, new Rng(seed).fork("vae"));
  if (state) vae.loadStateDict(state.group("param"));
  await vae.realize();
  const schedule = warmupHoldDecay({ peak: lr, total: options.steps, warmup: 50, hold: 0.5, final: 0.05 });
  const optimization = new Optimization(vae.parameters(), { lr: schedule, emaDecay: 0.995 }, state);

  const batchAt = (step: number, count: number) => {
    const size = sizes[step % sizes.length] ?? { width: 64, height: 64 };
    return Array.from({ length: count }, (_, i) => clips(step * batch + i, { ...size, frames }));
  };
  const step = async (index: number): Promise<Record<string, number>> => {
    const drawn = batchAt(index, batch);
    const { width = 0, height = 0 } = drawn[0] ?? {};
    const video = videoTensor(drawn.map((c) => c.video), frames, height, width);
    const { loss, mse } = vaeLoss(vae, video, movingPartWeights(movingTensor(drawn), movingGain));
    const { mse: error = 1, ...values } = await optimization.update(index, loss, { mse });
    return { ...values, psnr: 10 * Math.log10(4 / error) };
  };
  await runSteps({ ...options, from: state?.step ?? 0 }, step, () => optimization.state());

  vae.loadStateDict(optimization.average);
  await vae.realize();
  const statistics = new LatentStatisticsCollector();
  for (let i = 0; i < sizes.length * 2; i++) {
    const drawn = batchAt(options.steps + i, batch);
    const { width = 0, height = 0 } = drawn[0] ?? {};
    await statistics.add(vae.encodeMoments(videoTensor(drawn.map((c) => c.video), frames, height, width)).mean);
  }
  vae.setLatentStatistics(statistics.finish());
  return vae;
}
