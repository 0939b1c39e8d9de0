import { type Device, grad, linear, realize, tensor, type Tensor } from "@omni/core";
import { loadState, writeSafetensors } from "@omni/core/checkpoint";
import { Module } from "@omni/core/nn";
import { AdamW } from "@omni/core/optim";
import { ADAM } from "../../ops/training.ts";
import type { Builders } from "../contender.ts";
import { joined, onDevice } from "./tensor-work.ts";

const optimiser = (params: Record<string, Tensor>): AdamW =>
  new AdamW(params, { lr: ADAM.lr, betas: [ADAM.beta1, ADAM.beta2], eps: ADAM.eps, weightDecay: 0 });

/** A module that is a list of tensors. */
class TensorList extends Module {
  readonly tensors: readonly Tensor[];

  constructor(tensors: readonly Tensor[]) {
    super();
    this.tensors = tensors;
  }
}

/** Updates, a training step and loading through the public API. */
export const trainingBuilders = (device: Device): Builders => ({
  adam: async ({ each }, inputs) => {
    const parameters = await Promise.all(inputs.parameters.map((p) => onDevice(p.slice(), [each])));
    const gradients = await Promise.all(inputs.gradients.map((g) => onDevice(g, [each])));
    const named = (list: readonly Tensor[]): Record<string, Tensor> =>
      Object.fromEntries(list.map((t, i) => [`p${i}`, t]));
    const adam = optimiser(named(parameters));
    const given = named(gradients);
    return {
      start: () => realize(adam.step(given)),
      finish: () => device.finished(),
      answer: () => joined(parameters),
    };
  },
  mlpStep: async ({ width, hidden, batch }, inputs) => {
    const x = await onDevice(inputs.x, [batch, width]);
    const target = await onDevice(inputs.target, [batch, width]);
    // linear's weights are [out, in]
    const w1 = await tensor(inputs.w1, { shape: [width, hidden] })
      .transpose()
      .realize();
    const w2 = await tensor(inputs.w2, { shape: [hidden, width] })
      .transpose()
      .realize();
    const adam = optimiser({ w1, w2 });
    const losses: Tensor[] = [];
    const step = async (): Promise<void> => {
      const loss = linear(linear(x, w1).relu(), w2).sub(target).square().mean();
      const [g1, g2] = grad(loss, [w1, w2]);
      if (g1 && g2) await realize([loss, ...adam.step({ w1: g1, w2: g2 })]);
      losses.push(loss);
      if (losses.length > 2) losses.pop()?.dispose();
    };
    return {
      start: step,
      finish: () => device.finished(),
      answer: async () => {
        await step();
        return joined(losses);
      },
    };
  },
  loadSafetensors: async ({ each }, inputs) => {
    const named = Object.fromEntries(
      inputs.tensors.map((data, i) => [`tensors.${i}`, { dtype: "F32", shape: [each], data } as const]),
    );
    const file = writeSafetensors(named);
    const list = await new TensorList(inputs.tensors.map(() => tensor(new Float32Array(each)))).realize();
    return {
      start: async () => {
        await loadState(list, file);
      },
      finish: () => device.finished(),
      answer: () => joined(list.tensors),
    };
  },
});
