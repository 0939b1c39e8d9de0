import { expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { topologicalOrder } from "../graph/node.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { labelModules } from "./label-modules.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { planGraph } from "../schedule/planner.ts";

class Net extends Module {
  readonly layers = [new Linear(2, 3), new Linear(3, 1)];
  forward(x: Tensor): Tensor {
    return this.layers.reduce((h, layer) => layer.forward(h).tanh(), x);
  }
}

test("forward passes and their gradients carry the module's path, also in plans", () => {
  const net = new Net();
  labelModules(net);
  expect(Object.keys(net.parameters())).toEqual([
    "layers.0.weight",
    "layers.0.bias",
    "layers.1.weight",
    "layers.1.bias",
  ]);
  const y = net.forward(tensor([[1, 2]]));
  const scopes = (t: Tensor): Set<string> => new Set(topologicalOrder([t.node]).map((n) => n.scope));
  expect(scopes(y)).toEqual(new Set(["", "model", "model.layers.0", "model.layers.1"]));
  const [g] = grad(y.sum(), [net.layers[0]?.weight as Tensor]);
  expect(scopes(g as Tensor)).toContain("model.layers.1 backward");
  const order = topologicalOrder([y.node]);
  const { steps } = planGraph(order, [y.node], SOFTWARE_TRAITS);
  expect(steps.map((s) => s.scope)).toContain("model.layers.1");
  expect(steps.at(-1)?.scope).toBe("model");
});
