import { describe, expect, test } from "vitest";
import { topologicalOrder } from "../graph/node.ts";
import { SOFTWARE_TRAITS } from "../kernels/traits.fixture.ts";
import { tensor } from "../tensor/create.ts";
import { type Tensor } from "../tensor/tensor.ts";
import { onOtherKind } from "./other-adapter.fixture.ts";
import { planGraph } from "./planner.ts";

/** Sums and extremes along an axis, in float64. */
function reduced(x: Float32Array, shape: readonly [number, number], axis: 0 | 1): { sums: number[]; tops: number[] } {
  const [rows, columns] = shape;
  const [outputs, length] = axis === 1 ? [rows, columns] : [columns, rows];
  const sums = new Array<number>(outputs).fill(0);
  const tops = new Array<number>(outputs).fill(-Infinity);
  for (let o = 0; o < outputs; o++)
    for (let r = 0; r < length; r++) {
      const value = x[axis === 1 ? o * columns + r : r * columns + o] ?? NaN;
      sums[o] = (sums[o] ?? NaN) + value;
      tops[o] = Math.max(tops[o] ?? NaN, value);
    }
  return { sums, tops };
}

const wave = (size: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size }, (_, i) => 1 + Math.sin(i * 0.7) + (i % 13) / 8);

describe("reductions into few outputs", () => {
  const cases: [string, [number, number], 0 | 1][] = [
    ["along the last axis, by fours", [1, 1_000_012], 1],
    ["along the last axis, one by one", [1, 1_000_003], 1],
    ["of several rows", [3, 400_004], 1],
    ["across rows, by fours", [70_001, 12], 0],
    ["across rows, one by one", [70_001, 7], 0],
    ["shorter than a stretch", [1, 36], 1],
  ];

  test.each(cases)("%s, on both kinds of adapters", async (_, shape, axis) => {
    const data = wave(shape[0] * shape[1]);
    const exact = reduced(data, shape, axis);
    const check = async (): Promise<void> => {
      const x = tensor(data, { shape });
      const [sums, means, tops] = [x.sum({ axis }), x.mean({ axis }), x.max({ axis })];
      const length = shape[axis];
      (await sums.data()).forEach((v, i) => expect(v / (exact.sums[i] ?? NaN)).toBeCloseTo(1, 5));
      (await means.data()).forEach((v, i) => expect((v * length) / (exact.sums[i] ?? NaN)).toBeCloseTo(1, 5));
      expect([...(await tops.data())]).toEqual(exact.tops);
    };
    await check();
    await onOtherKind(check);
  });

  test("take two dispatches on software adapters; on GPUs more, none of which adds up many stretches by itself", () => {
    const dispatches = (y: Tensor, software: boolean): number =>
      planGraph(topologicalOrder([y.node]), [y.node], { ...SOFTWARE_TRAITS, software }).steps.length;
    const sum = tensor(new Float32Array(2 ** 22)).sum();
    expect(dispatches(sum, true)).toBe(2);
    // 65,536 stretches, 1,024 and 16
    expect(dispatches(sum, false)).toBe(4);
  });
});
