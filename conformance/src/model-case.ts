import { realize, Tensor, tensor } from "@omni/core";
import type { Module, StateValue } from "@omni/core/nn";
import { computed, gradients, inputTensor } from "./case-tensors.ts";
import { TorchArgs } from "./torch-args.ts";
import { type CaseAnswer, type Computed, type LoadedCase, SkippedCase, type Weights } from "./types.ts";

/** What a builder of a network gets. */
export interface ModelCase {
  readonly args: TorchArgs;
  /** An input by name. @throws Error where the case has none */
  readonly input: (name: string) => Tensor;
  /** An input by name; null where the case has none. */
  readonly optional: (name: string) => Tensor | null;
  readonly weights: Weights;
  readonly loaded: LoadedCase;
}

/** What a network of a case computes. */
export interface ModelAnswer {
  /** By the names of the case's outputs; only those that the case wants are computed. */
  readonly outputs: Readonly<Record<string, () => Tensor | Computed>>;
  /** The leaf behind an upstream key, for gradients. */
  readonly parameter?: (key: string) => Tensor | undefined;
}

/** A leaf as the network's own parameter and as its gradient's place. */
function find(leaf: Tensor | undefined, what: string): Tensor {
  if (!leaf) throw new Error(`gradient of ${what}, which is not there`);
  return leaf;
}

/**
 * Runs a network forwards and, where gradients are stored, backwards; all of it in one plan.
 *
 * @param build may realise what it computes on the way, where no gradient is asked for
 */
export async function runModel(loaded: LoadedCase, build: ModelBuilder): Promise<CaseAnswer> {
  const inputs = new Map(loaded.inputs.map((input) => [input.name, inputTensor(loaded, input)]));
  const model: ModelCase = {
    args: new TorchArgs(loaded.args),
    input: (name) => find(inputs.get(name), `input ${name}`),
    optional: (name) => inputs.get(name) ?? null,
    weights: await loaded.weightValues(),
    loaded,
  };
  const { outputs: known, parameter } = await build(model);
  const outputs = loaded.outputs.map(({ name = "" }) => {
    const output = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!output) throw new SkippedCase(`${loaded.op}: output ${name} is not implemented`);
    return output();
  });
  const leaves = (loaded.grads ?? []).map(({ input, param }) =>
    param === undefined
      ? find(inputs.get(String(input)), `input ${input}`)
      : find(parameter?.(param), `parameter ${param}`),
  );
  const slopes = gradients(
    loaded,
    (index) => {
      const output = outputs[index];
      if (!(output instanceof Tensor)) throw new Error(`output ${index} must be a tensor to be differentiated`);
      return output;
    },
    leaves,
  );
  await realize([...outputs.filter((output) => output instanceof Tensor), ...slopes]);
  return {
    outputs: await Promise.all(
      outputs.map((output) => (output instanceof Tensor ? computed(output) : Promise.resolve(output))),
    ),
    grads: await Promise.all(slopes.map(computed)),
  };
}

/** A network or a part of one, from a case. */
export type ModelBuilder = (model: ModelCase) => ModelAnswer | Promise<ModelAnswer>;

/**
 * Runs cases by what builds them.
 *
 * @param nameOf what a case is looked up by
 */
export function modelCases(
  builders: Readonly<Record<string, ModelBuilder>>,
  nameOf: (loaded: LoadedCase) => string = ({ op }) => op,
): (loaded: LoadedCase) => Promise<CaseAnswer> {
  return async (loaded) => {
    const name = nameOf(loaded);
    const build = Object.hasOwn(builders, name) ? builders[name] : undefined;
    if (!build) throw new SkippedCase(`${name} is not implemented`);
    return runModel(loaded, build);
  };
}

/**
 * Puts upstream's weights into a module: every key must be known and every parameter given.
 *
 * @param toOurs our name of an upstream key; null where the module has no use for it, undefined where it is unknown
 * @returns the parameter behind an upstream key
 */
export function loadUpstream(
  module: Module,
  weights: Weights,
  toOurs: (key: string) => string | null | undefined = (key) => key,
): (key: string) => Tensor | undefined {
  const state: Record<string, StateValue> = {};
  for (const [key, { shape, data }] of weights) {
    const name = toOurs(key);
    if (name === undefined) throw new Error(`weights: "${key}" must be known`);
    if (name === null) continue;
    if (name in state) throw new Error(`weights: "${key}" must be the only one for ${name}`);
    state[name] = data instanceof Int32Array ? { shape, data } : tensor(Float32Array.from(data), { shape });
  }
  module.loadStateDict(state);
  const parameters = module.parameters();
  return (key) => parameters[toOurs(key) ?? ""];
}
