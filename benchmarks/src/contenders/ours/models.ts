import { type Device, grad, realize, Rng, setEager, tensor, type Tensor } from "@omni/core";
import { AdamW, clipGradNorm } from "@omni/core/optim";
import { type DitInputs, MMDiT, presets, videoFramesOf } from "@omni/dit";
import { eachBranch, euler, guidedVelocity } from "@omni/sampler";
import { CausalVae, compression, vaePresets } from "@omni/vae";
import { expectAll } from "../../ops/kind.ts";
import type { DenoiserSpec } from "../../ops/models.ts";
import type { Builders, Work } from "../contender.ts";
import { computing, joined } from "./tensor-work.ts";

const SEED = 1;
const NOT_FUSED = "the same graph, op by op without fusion";

/** Random inputs of a clip with text, reference picture and sound. */
async function clipInputs({ batch, frames, side, textLength }: DenoiserSpec): Promise<DitInputs> {
  const { latentChannels, textDim, audioTokensPerFrame, audioDim } = presets.nano;
  const rng = new Rng(SEED);
  const noisy = rng.normal([batch, latentChannels, frames, side, side]);
  const reference = rng.normal([batch, latentChannels, 1, side, side]);
  const text = rng.normal([batch, textLength, textDim]);
  const audio = rng.normal([batch, videoFramesOf(frames), audioTokensPerFrame, audioDim]);
  const t = rng.uniform([batch]);
  await realize([noisy, reference, text, audio, t]);
  const absent = { motion: null, referenceActive: null, textMask: null, textActive: null, audioMask: null };
  return { ...absent, pose: null, poseActive: null, noisy, reference, text, audio, t };
}

/** Runs something with every op by itself. */
async function eagerly<T>(run: () => Promise<T>): Promise<T> {
  setEager(true);
  try {
    return await run();
  } finally {
    setEager(false);
  }
}

/** A denoiser whose last projection is not zero, as it is after the first step of training. */
async function denoiser(): Promise<MMDiT> {
  const model = await new MMDiT(presets.nano, { rng: new Rng(SEED) }).realize();
  const { weight } = model.finalLayer.projection;
  await realize([weight.assign(new Rng(SEED).normal(weight.shape).mul(0.02))]);
  return model;
}

async function trainingStep(spec: DenoiserSpec): Promise<() => Promise<readonly Tensor[]>> {
  const inputs = await clipInputs(spec);
  const velocity = await new Rng(SEED + 1).normal(inputs.noisy.shape).realize();
  const model = await denoiser();
  const params = model.parameters();
  const adam = new AdamW(params, { lr: 1e-4 });
  return async () => {
    const loss = model.forward(inputs).sub(velocity).square().mean();
    const gradients = grad(loss, Object.values(params));
    const named = Object.fromEntries(
      Object.keys(params).flatMap((name, i) => (gradients[i] ? [[name, gradients[i]]] : [])),
    );
    const { scale, norm } = clipGradNorm(named, 1);
    await realize([loss, norm, ...adam.step(named, { gradScale: scale })]);
    return [loss, norm];
  };
}

/** A work with its values as `eager` finds them. */
const checkedEagerly = (work: Work, eager: () => Promise<ArrayLike<number>>): Work => ({
  ...work,
  reference: { how: NOT_FUSED, expected: async () => expectAll(await eagerly(eager)) },
});

/** Steps of the nano model. */
export const modelBuilders = (device: Device): Builders => ({
  ditStep: async (spec) => {
    const step = await trainingStep(spec);
    let first: Promise<Float32Array> | null = null;
    const work: Work = {
      start: async () => {
        const values = await step();
        first ??= joined(values);
      },
      finish: () => device.finished(),
      answer: async () => (await first) ?? new Float32Array(0),
    };
    return checkedEagerly(work, async () => joined(await (await trainingStep(spec))()));
  },
  samplingStep: async (spec) => {
    const { noisy, reference, text, audio, ...rest } = await clipInputs(spec);
    const model = await denoiser();
    type Conditions = Pick<DitInputs, "reference" | "text" | "audio">;
    const velocity = eachBranch((x: Tensor, t: Tensor, conditions: Conditions) =>
      model.forward({ ...rest, noisy: x, t, ...conditions }),
    );
    const guidance = {
      kind: "joint",
      full: { reference, text, audio },
      dropped: { reference, text: null, audio: null },
    } as const;
    const guided = guidedVelocity(velocity, guidance, 0, 4);
    const times = (t: number): Tensor => tensor(new Float32Array(spec.batch).fill(t));
    const step = (): readonly Tensor[] => [euler((x, t) => guided(x, times(t)), noisy, 0.8, 0.6)];
    return checkedEagerly(computing(device, step), async () => joined(step()));
  },
  vaeDecode: async ({ frames, side }) => {
    const vae = await new CausalVae(vaePresets.nano, new Rng(SEED)).realize();
    const { temporal, spatial } = compression(vaePresets.nano);
    const cells = side / spatial;
    const latents = await new Rng(SEED)
      .normal([1, vaePresets.nano.zDim, 1 + (frames - 1) / temporal, cells, cells])
      .realize();
    const decode = (): readonly Tensor[] => [vae.decode(latents)];
    return checkedEagerly(computing(device, decode), async () => joined(decode()));
  },
});
