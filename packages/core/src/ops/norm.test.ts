import { expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, sum, withAxis, type Nd } from "../testing/nd.ts";
import { batchNorm, batchStatistics, groupNorm, instanceNorm, layerNorm, localResponseNorm, rmsNorm } from "./norm.ts";

// a mean over at most 70 squares, its root and a product
const NORM: Tolerance = { absolute: 4e-6, relative: 4e-6 };
const EPS = 1e-3;

/** Mean of f(x) over the axes from `from` on. */
const meanFrom = (x: Nd, from: number, index: readonly number[], f: (v: number) => number): number => {
  const inner = x.shape.slice(from);
  const rest = build(inner, (tail) => f(at(x, [...index.slice(0, from), ...tail])));
  return rest.data.reduce((a, b) => a + b, 0) / rest.data.length;
};

describeOp("rmsNorm", (x, weight) => rmsNorm(x, weight, { eps: EPS }), {
  cases: [
    { x: [2, 7, 8], weight: [8] },
    { x: [3, 5] },
    { x: [1, 1], weight: [1] },
    { x: [2, 65], weight: [65] },
    { x: [0, 4], weight: [4] },
  ],
  reference: (x, weight) =>
    build(x.shape, (index) => {
      const last = x.shape.length - 1;
      return (
        (at(x, index) / Math.sqrt(meanFrom(x, last, index, (v) => v * v) + EPS)) *
        (weight ? at(weight, [index[last] ?? 0]) : 1)
      );
    }),
  tolerance: NORM,
  throws: [[{ x: [2, 8], weight: [7] }, "rmsNorm: weight must have shape [8], got [7]"]],
});

describeOp("rmsNorm along channels", (x, weight) => rmsNorm(x, weight, { axis: 1, eps: EPS }), {
  cases: [
    { x: [2, 6, 3, 4], weight: [6] },
    { x: [1, 5, 2], weight: [5] },
  ],
  reference: (x, weight) => {
    const n = x.shape[1] ?? 0;
    return build(x.shape, (index) => {
      const square = sum(n, (c) => at(x, withAxis(index, 1, c)) ** 2) / n;
      return (at(x, index) / Math.sqrt(square + EPS)) * at(weight, [index[1] ?? 0]);
    });
  },
  tolerance: NORM,
});

describeOp("layerNorm", (x, weight, bias) => layerNorm(x, weight, bias, { eps: EPS }), {
  cases: [
    { x: [2, 3, 8], weight: [8], bias: [8] },
    { x: [3, 5], weight: [5] },
    { x: [2, 65] },
    { x: [4, 0], weight: [0], bias: [0] },
  ],
  reference: (x, weight, bias) =>
    build(x.shape, (index) => {
      const last = x.shape.length - 1;
      const c = index[last] ?? 0;
      const mean = meanFrom(x, last, index, (v) => v);
      const variance = meanFrom(x, last, index, (v) => (v - mean) ** 2);
      return (
        ((at(x, index) - mean) / Math.sqrt(variance + EPS)) * (weight ? at(weight, [c]) : 1) +
        (bias ? at(bias, [c]) : 0)
      );
    }),
  tolerance: NORM,
  throws: [
    [{ x: [2, 8], weight: [7] }, "layerNorm: weight must have shape [8], got [7]"],
    [{ x: [2, 8], weight: [8], bias: [1] }, "layerNorm: bias must have shape [8], got [1]"],
  ],
});

describeOp("groupNorm", (x, weight, bias) => groupNorm(x, 3, weight, bias, { eps: EPS }), {
  cases: [{ x: [2, 6, 5], weight: [6], bias: [6] }, { x: [1, 3, 2, 2], weight: [3] }, { x: [2, 6] }, { x: [0, 3, 2] }],
  reference: (x, weight, bias) => {
    const [, channels = 0, ...rest] = x.shape;
    const grouped: Nd = { shape: [x.shape[0] ?? 0, 3, channels / 3, ...rest], data: x.data };
    return build(x.shape, (index) => {
      const [b = 0, c = 0] = index;
      const place = [b, Math.floor(c / (channels / 3))];
      const mean = meanFrom(grouped, 2, place, (v) => v);
      const variance = meanFrom(grouped, 2, place, (v) => (v - mean) ** 2);
      return (
        ((at(x, index) - mean) / Math.sqrt(variance + EPS)) * (weight ? at(weight, [c]) : 1) +
        (bias ? at(bias, [c]) : 0)
      );
    });
  },
  tolerance: NORM,
  throws: [
    [{ x: [2, 4] }, "groupNorm: 3 groups must divide the channels of [B, C, ...], got [2, 4]"],
    [{ x: [2, 3], weight: [2] }, "groupNorm: weight must have shape [3], got [2]"],
  ],
});

describeOp("layerNorm over two axes", (x, weight, bias) => layerNorm(x, weight, bias, { eps: EPS, axes: 2 }), {
  cases: [{ x: [2, 3, 5], weight: [3, 5], bias: [3, 5] }, { x: [3, 4] }],
  reference: (x, weight, bias) =>
    build(x.shape, (index) => {
      const first = x.shape.length - 2;
      const tail = index.slice(first);
      const mean = meanFrom(x, first, index, (v) => v);
      const variance = meanFrom(x, first, index, (v) => (v - mean) ** 2);
      return (
        ((at(x, index) - mean) / Math.sqrt(variance + EPS)) * (weight ? at(weight, tail) : 1) +
        (bias ? at(bias, tail) : 0)
      );
    }),
  tolerance: NORM,
  throws: [
    [{ x: [2, 3], weight: [3] }, "layerNorm: weight must have shape [2, 3], got [3]"],
    [{ x: [3] }, "layerNorm: axes must be in [1, 1], got 2"],
  ],
});

describeOp("instanceNorm", (x, weight, bias) => instanceNorm(x, weight, bias, { eps: EPS }), {
  cases: [{ x: [2, 3, 5], weight: [3], bias: [3] }, { x: [2, 2, 3, 2] }, { x: [0, 3, 2] }],
  reference: (x, weight, bias) =>
    build(x.shape, (index) => {
      const c = index[1] ?? 0;
      const mean = meanFrom(x, 2, index, (v) => v);
      const variance = meanFrom(x, 2, index, (v) => (v - mean) ** 2);
      return (
        ((at(x, index) - mean) / Math.sqrt(variance + EPS)) * (weight ? at(weight, [c]) : 1) +
        (bias ? at(bias, [c]) : 0)
      );
    }),
  tolerance: NORM,
  throws: [
    [{ x: [2, 3] }, "instanceNorm: x must be [B, C, ...] with positions, got [2, 3]"],
    [{ x: [2, 3, 4], weight: [4] }, "instanceNorm: weight must have shape [3], got [4]"],
  ],
});

/** Mean of f(x) of a channel, over all other axes. */
const meanOfChannel = (x: Nd, c: number, f: (v: number) => number): number => {
  const [batch = 0, , ...rest] = x.shape;
  const list = build([batch, ...rest], ([b = 0, ...place]) => f(at(x, [b, c, ...place])));
  return list.data.reduce((a, b) => a + b, 0) / list.data.length;
};
describeOp("batchNorm by its own statistics", (x, weight, bias) => batchNorm(x, null, weight, bias, { eps: EPS }), {
  cases: [{ x: [2, 3, 5], weight: [3], bias: [3] }, { x: [4, 2] }],
  reference: (x, weight, bias) =>
    build(x.shape, (index) => {
      const c = index[1] ?? 0;
      const mean = meanOfChannel(x, c, (v) => v);
      const variance = meanOfChannel(x, c, (v) => (v - mean) ** 2);
      return (
        ((at(x, index) - mean) / Math.sqrt(variance + EPS)) * (weight ? at(weight, [c]) : 1) +
        (bias ? at(bias, [c]) : 0)
      );
    }),
  tolerance: NORM,
  throws: [
    [{ x: [3] }, "batchNorm: x must be [B, C, ...], got [3]"],
    [{ x: [2, 3], weight: [3], bias: [2] }, "batchNorm: bias must have shape [3], got [2]"],
  ],
});
describeOp(
  "batchNorm by given statistics",
  (x, mean, root, weight, bias) => batchNorm(x, { mean, variance: root.square() }, weight, bias, { eps: EPS }),
  {
    cases: [
      { x: [2, 3, 4], mean: [3], root: [3], weight: [3], bias: [3] },
      { x: [0, 2], mean: [2], root: [2] },
    ],
    reference: (x, mean, root, weight, bias) =>
      build(x.shape, (index) => {
        const c = [index[1] ?? 0];
        return (
          ((at(x, index) - at(mean, c)) / Math.sqrt(at(root, c) ** 2 + EPS)) * (weight ? at(weight, c) : 1) +
          (bias ? at(bias, c) : 0)
        );
      }),
    tolerance: NORM,
    range: [0.5, 1.5],
    throws: [[{ x: [2, 3], mean: [3], root: [2] }, "batchNorm: variance must have shape [3], got [2]"]],
  },
);

test("batchStatistics are those that batchNorm takes by itself", async () => {
  const x = sample([3, 2, 5], 4);
  const t = tensor(Float32Array.from(x.data), { shape: x.shape });
  const { mean, variance } = batchStatistics(t);
  const [own, given] = [batchNorm(t, null), batchNorm(t, { mean, variance })];
  await realize([mean, variance, own, given]);
  const means = build([2], ([c = 0]) => meanOfChannel(x, c, (v) => v));
  await expectClose(mean, means, NORM);
  // divided by n, not by n − 1
  await expectClose(
    variance,
    build([2], ([c = 0]) => meanOfChannel(x, c, (v) => (v - at(means, [c])) ** 2)),
    NORM,
  );
  await expectClose(given, { shape: x.shape, data: Float64Array.from(await own.data()) }, NORM);
});

test("a constant row is normalised to zero, not to noise", async () => {
  const x = tensor([5, 5, 5, 5]);
  expect(await layerNorm(x).data()).toEqual(new Float32Array(4));
  expect(await rmsNorm(zeros([4]).add(tensor(0))).data()).toEqual(new Float32Array(4));
});

for (const size of [1, 2, 5])
  describeOp(`localResponseNorm of ${size}`, (x) => localResponseNorm(x, size, { alpha: 0.6, beta: 0.5, k: 2 }), {
    cases: [{ x: [2, 7, 3] }, { x: [1, 2] }, { x: [2, 0] }],
    reference: (x) =>
      build(x.shape, (index) => {
        const c = index[1] ?? 0;
        const near = Array.from({ length: size }, (_, i) => c - Math.floor(size / 2) + i);
        const inside = near.filter((i) => i >= 0 && i < (x.shape[1] ?? 0));
        const mean = inside.reduce((total, i) => total + at(x, withAxis(index, 1, i)) ** 2, 0) / size;
        return at(x, index) / Math.sqrt(2 + 0.6 * mean);
      }),
    tolerance: NORM,
    throws: [[{ x: [3] }, `localResponseNorm: needs x [B, C, ...] and a size of at least 1, got [3] and ${size}`]],
  });
