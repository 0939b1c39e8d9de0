import { describe, expect, test } from "vitest";
import { topologicalOrder } from "../graph/node.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { SwiGLU } from "../nn/mlp.ts";
import { layerNorm, rmsNorm } from "../ops/norm.ts";
import { AdamW } from "../optim/adamw.ts";
import { clipGradNorm } from "../optim/clip.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { planGraph } from "./planner.ts";

const leaf = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((n, s) => n * s, 1)), { shape });
const labels = (roots: readonly Tensor[], traits: Partial<DeviceTraits> = {}): string[] => {
  const nodes = roots.map((t) => t.node);
  return planGraph(topologicalOrder(nodes), nodes, { ...SOFTWARE_TRAITS, ...traits }).steps.map((s) => s.label);
};

describe("dispatches", () => {
  test("a gated feed-forward is its three products", () => {
    const ffn = new SwiGLU(32, 48);
    for (const t of Object.values(ffn.parameters())) t.node = leaf(...t.shape).node;
    expect(labels([ffn.forward(leaf(40, 32))])).toEqual(["matmul", "matmul", "matmul"]);
  });

  test.each([
    ["RMS norm", rmsNorm],
    ["layer norm", layerNorm],
  ] as const)("residual, gate, %s and modulation are one", (_, norm) => {
    const x = leaf(2, 40, 32).add(leaf(2, 40, 32).mul(leaf(2, 1, 32)));
    const normed = norm(x);
    expect(
      labels([
        normed
          .mul(leaf(2, 1, 32))
          .add(normed)
          .add(leaf(2, 1, 32)),
      ]),
    ).toHaveLength(1);
  });

  test.each([
    ["small ones share a dispatch", [8, 9, 10], 2, 1],
    ["a large one has its own", [80, 90, 100], 3, 1],
    ["the norm of a larger one is two", [8000, 9000, 10_000], 3, 2],
  ])("AdamW, clipping and schedule included: of three parameters %s", (_, rows, updates, sums) => {
    const params = Object.fromEntries(rows.map((n) => [`p${n}`, leaf(n, 40)]));
    const grads = Object.fromEntries(Object.keys(params).map((name) => [name, leaf(...(params[name]?.shape ?? []))]));
    const adam = new AdamW(params, { lr: 1e-3 });
    for (const moment of Object.values(adam.state().moments)) moment.node = leaf(...moment.shape).node;
    const { scale } = clipGradNorm(grads, 1);
    // two parameters bind ten buffers
    const step = labels(adam.step(grads, { gradScale: scale, lrScale: 0.5 }), { maxStorageBuffers: 10 });
    expect(step.filter((label) => label === "adam")).toHaveLength(updates);
    // and one kernel for the norm of all and the factor that it gives
    expect(step).toHaveLength(updates + 3 * sums + 1);
  });
});
