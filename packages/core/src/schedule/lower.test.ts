import { describe, expect, test } from "vitest";
import { topologicalOrder, type Node } from "../graph/node.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { defineOp } from "../ops/define-op.ts";
import { wgslProgram } from "../ops/wgsl-program.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { lowerGraph } from "./lower.ts";

/** Twice x: by a kernel where the adapter has f16, which stands for any trait. */
const double = defineOp({
  name: "double",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: "f32" }),
  compose: ([x = tensor(0)]) => x.add(x),
  kernel: (_, __, { f16 }) =>
    f16
      ? wgslProgram({
          label: "double",
          inputs: [{ name: "x", type: "f32" }],
          output: { name: "y", type: "f32" },
          count: 1,
          body: "y[g] = 2.0 * x[g];",
        })
      : null,
});

const lowered = (t: Tensor, f16: boolean): { order: readonly Node[]; roots: readonly Node[] } =>
  lowerGraph(topologicalOrder([t.node]), [t.node], { ...SOFTWARE_TRAITS, f16 });
const names = (order: readonly Node[]): string[] => order.map((n) => n.op?.name ?? "leaf");

describe("lowerGraph", () => {
  test("takes the kernel where the adapter suits it, else the definition", () => {
    const y = double([tensor([1])]);
    expect(names(lowered(y, true).order)).toEqual(["leaf", "double"]);
    expect(names(lowered(y, false).order)).toEqual(["leaf", "add"]);
    expect(lowered(y, true).roots.map((n) => n.op?.kind)).toEqual(["kernel"]);
  });

  test("rebuilds what lies above, also composites above composites, and leaves the graph as it was", () => {
    const y = double([double([tensor([1])]).exp()]).sin();
    const before = names(topologicalOrder([y.node]));
    expect(names(lowered(y, true).order)).toEqual(["leaf", "double", "exp", "double", "sin"]);
    expect(names(lowered(y, false).order)).toEqual(["leaf", "add", "exp", "add", "sin"]);
    expect(names(topologicalOrder([y.node]))).toEqual(before);
    expect(before).toContain("double");
  });

  test("gives back the very graph where nothing is composite, and parts that have nothing above one", () => {
    const [x, z] = [tensor([1]), tensor([2]).exp()];
    const plain = [...topologicalOrder([z.node])];
    expect(lowerGraph(plain, [z.node], SOFTWARE_TRAITS)).toEqual({ order: plain, roots: [z.node] });
    expect(lowerGraph(plain, [z.node], SOFTWARE_TRAITS).order).toBe(plain);
    const both = double([x]).add(z);
    expect(lowered(both, false).order).toContain(z.node);
  });
});
