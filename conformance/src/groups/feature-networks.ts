import { Rng, type Tensor } from "@omni/core";
import type { Module } from "@omni/core/nn";
import { InceptionA, InceptionB, InceptionC, InceptionD, InceptionE, InceptionV3, SyncNet } from "@omni/metrics";
import { loadUpstream, type ModelAnswer, type ModelCase, runModel } from "../model-case.ts";
import { type CaseAnswer, type LoadedCase, SkippedCase, type Weights } from "../types.ts";

/** The networks that measure, by upstream's class or what it begins with. */
const networks: readonly (readonly [name: string, build: (model: ModelCase) => ModelAnswer])[] = [
  ["pytorch_fid InceptionV3", inception],
  ["FIDInceptionA", (model) => block(model, new InceptionA(...sizes(model, "pool_features"), new Rng(0)))],
  ["FIDInceptionC", (model) => block(model, new InceptionC(...sizes(model, "channels_7x7"), new Rng(0)))],
  ["FIDInceptionE_1", (model) => block(model, new InceptionE(model.args.number("in_channels"), "mean", new Rng(0)))],
  ["FIDInceptionE_2", (model) => block(model, new InceptionE(model.args.number("in_channels"), "max", new Rng(0)))],
  ["InceptionB", (model) => block(model, new InceptionB(model.args.number("in_channels"), new Rng(0)))],
  ["InceptionD", (model) => block(model, new InceptionD(model.args.number("in_channels"), new Rng(0)))],
  ["SyncNetModel.S", syncNet],
];

/** Networks whose features and embeddings metrics are made of. */
export function runFeatureNetwork(loaded: LoadedCase): Promise<CaseAnswer> {
  const name = String(loaded.args["model_class"]);
  const found = networks.find(([start]) => name.startsWith(start));
  if (!found) return Promise.reject(new SkippedCase(`${name} is not implemented`));
  return runModel(loaded, found[1]);
}

const sizes = ({ args }: ModelCase, second: string): [number, number] => [
  args.number("in_channels"),
  args.number(second),
];

/** Puts upstream's weights into a network in evaluation; batch norms' counters, which the format leaves out, are zeros. */
function load(network: Module, weights: Weights): void {
  const counters = Object.keys(network.parameters()).filter((name) => name.endsWith("num_batches_tracked"));
  const zero = { shape: [], data: new Int32Array(1) };
  loadUpstream(network.eval(), new Map([...counters.map((name) => [name, zero] as const), ...weights]));
}

function block({ input, weights }: ModelCase, network: Module & { forward(x: Tensor): Tensor }): ModelAnswer {
  load(network, weights);
  return { outputs: { y: () => network.forward(input("x")) } };
}

function inception({ input, weights }: ModelCase): ModelAnswer {
  const network = new InceptionV3({ classifier: weights.has("fc.weight") });
  load(network, weights);
  const features = network.features(input("x"));
  return {
    outputs: Object.fromEntries(
      Object.entries(features).flatMap(([name, x]: [string, Tensor]) => [
        [name, () => x],
        [`${name}_chmean`, () => x.mean({ axis: [0, 2, 3] })],
      ]),
    ),
  };
}

function syncNet({ args, input, weights }: ModelCase): ModelAnswer {
  const network = new SyncNet({ embedding: args.number("num_layers_in_fc_layers", 1024) });
  load(network, weights);
  const seesLips = args.has("method") && args.text("method") === "forward_lip";
  return {
    outputs: {
      embedding: () => (seesLips ? network.see(input("lip")) : network.hear(input("mfcc"))),
      lipfeat: () => network.lipFeatures(input("lip")),
    },
  };
}
