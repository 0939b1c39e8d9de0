import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { EXACT, ROUNDING } from "../testing/allclose.ts";
import { describeOp, type OpCase } from "../testing/describe-op.ts";
import { at, build, coordinatesOf, type Nd } from "../testing/nd.ts";
import {
  adaptiveAveragePool,
  averagePool1d,
  averagePool2d,
  averagePool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type AveragePoolOptions,
  type PoolOptions,
} from "./pool.ts";

interface Settings {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation?: readonly number[];
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
}

/**
 * `f` of what each window sees inside x, and of the places it has inside the padded x. Windows that end outside count with `ceilMode`, if
 * they begin inside x or the padding before it. @see torch.nn.MaxPool2d, AvgPool2d
 */
function pooled(x: Nd, settings: Settings, f: (seen: readonly number[], places: number) => number): Nd {
  const { kernel, stride, padding, dilation = kernel.map(() => 1), ceilMode = false } = settings;
  const [batch = 0, channels = 0, ...input] = x.shape;
  const get = (list: readonly number[], a: number): number => list[a] ?? 0;
  const output = input.map((n, a) => {
    let count = 0;
    for (let start = -get(padding, a); ; start += get(stride, a), count++) {
      const end = start + get(dilation, a) * (get(kernel, a) - 1);
      if (ceilMode ? start >= n || end - n - get(padding, a) + 1 >= get(stride, a) : end >= n + get(padding, a))
        return count;
    }
  });
  const taps = kernel.reduce((n, k) => n * k, 1);
  return build([batch, channels, ...output], ([b = 0, c = 0, ...place]) => {
    const seen: number[] = [];
    let places = 0;
    for (let i = 0; i < taps; i++) {
      const k = coordinatesOf(kernel, i);
      const source = place.map((p, a) => p * get(stride, a) + get(k, a) * get(dilation, a) - get(padding, a));
      if (source.every((s, a) => s < get(input, a) + get(padding, a))) places++;
      if (source.every((s, a) => s >= 0 && s < get(input, a))) seen.push(at(x, [b, c, ...source]));
    }
    return f(seen, places);
  });
}

const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

type Pool<O> = (x: Tensor, kernel: readonly number[], options: O) => Tensor;
const MAX: Record<number, Pool<PoolOptions>> = { 1: maxPool1d, 2: maxPool2d, 3: maxPool3d };
const AVERAGE: Record<number, Pool<AveragePoolOptions>> = { 1: averagePool1d, 2: averagePool2d, 3: averagePool3d };

function checkMax(name: string, settings: Settings, cases: readonly OpCase[]): void {
  const { kernel, ...options } = settings;
  const pool = MAX[kernel.length];
  describeOp(`maxPool${kernel.length}d ${name}`, (x) => pool?.(x, kernel, options) ?? x, {
    cases,
    reference: (x) => pooled(x, settings, (seen) => Math.max(...seen)),
    // values are picked; at most nine slopes are added
    tolerance: EXACT,
    gradientTolerance: ROUNDING,
  });
}
function checkAverage(name: string, settings: Settings, cases: readonly OpCase[]): void {
  const { kernel, ...options } = settings;
  const pool = AVERAGE[kernel.length];
  describeOp(`averagePool${kernel.length}d ${name}`, (x) => pool?.(x, kernel, options) ?? x, {
    cases,
    reference: (x) =>
      pooled(x, settings, (seen, places) => total(seen) / (settings.countIncludePad === false ? seen.length : places)),
    tolerance: ROUNDING,
  });
}

checkMax("plain", { kernel: [3], stride: [2], padding: [0] }, [{ x: [2, 3, 7] }, { x: [1, 1, 3] }, { x: [0, 2, 5] }]);
checkMax("padded and dilated", { kernel: [2, 3], stride: [1, 2], padding: [1, 1], dilation: [2, 1] }, [
  { x: [2, 2, 4, 5] },
]);
checkMax("in ceil mode", { kernel: [3, 2], stride: [2, 2], padding: [1, 0], ceilMode: true }, [{ x: [1, 2, 5, 3] }]);
checkMax("plain", { kernel: [1, 2, 2], stride: [1, 2, 2], padding: [0, 0, 0] }, [{ x: [1, 2, 2, 4, 3] }]);
// the last window would begin in the padding behind
checkMax("in ceil mode", { kernel: [2], stride: [2], padding: [1], ceilMode: true }, [
  { x: [1, 2, 5] },
  { x: [1, 2, 4] },
]);

checkAverage("plain", { kernel: [3], stride: [2], padding: [0] }, [
  { x: [2, 3, 8] },
  { x: [1, 1, 3] },
  { x: [2, 0, 5] },
]);
checkAverage("padded", { kernel: [3, 2], stride: [2, 1], padding: [1, 1] }, [{ x: [2, 2, 5, 3] }]);
checkAverage("padded, padding left out", { kernel: [3, 2], stride: [2, 1], padding: [1, 1], countIncludePad: false }, [
  { x: [2, 2, 5, 3] },
]);
checkAverage("in ceil mode", { kernel: [3], stride: [2], padding: [1], ceilMode: true }, [{ x: [1, 2, 6] }]);
checkAverage(
  "in ceil mode, padding left out",
  { kernel: [3], stride: [2], padding: [1], ceilMode: true, countIncludePad: false },
  [{ x: [1, 2, 6] }],
);
checkAverage("plain", { kernel: [2, 1, 2], stride: [1, 1, 2], padding: [0, 0, 0] }, [{ x: [1, 2, 3, 2, 4] }]);

describeOp("adaptiveAveragePool", (x) => adaptiveAveragePool(x, [3, 2]), {
  cases: [{ x: [2, 2, 7, 5] }, { x: [1, 1, 2, 1] }],
  reference: (x) => {
    const [batch = 0, channels = 0, ...input] = x.shape;
    return build([batch, channels, 3, 2], ([b = 0, c = 0, ...place]) => {
      const span = place.map((p, a) => {
        const [n, m] = [input[a] ?? 0, [3, 2][a] ?? 1];
        return { start: Math.floor((p * n) / m), end: Math.ceil(((p + 1) * n) / m) };
      });
      const seen: number[] = [];
      for (let i = span[0]?.start ?? 0; i < (span[0]?.end ?? 0); i++)
        for (let j = span[1]?.start ?? 0; j < (span[1]?.end ?? 0); j++) seen.push(at(x, [b, c, i, j]));
      return total(seen) / seen.length;
    });
  },
  tolerance: ROUNDING,
  throws: [[{ x: [2, 3, 4] }, "adaptiveAveragePool: size must name each axis behind [B, C], got [3, 2] for [2, 3, 4]"]],
});

describe("maximum pooling", () => {
  test("gives the gradient to the first of ties, the topmost and leftmost", async () => {
    const x = tensor([
      [
        [
          [5, 5],
          [5, 5],
        ],
      ],
    ]);
    const [dx = zeros([])] = grad(maxPool2d(x, 2), [x]);
    expect([...(await dx.data())]).toEqual([1, 0, 0, 0]);
  });

  test("takes −∞ for a number and lets NaN win, wherever in the window it stands", async () => {
    const x = tensor([[[NaN, 1, 2, 3, NaN, 4, 5, 6, NaN, -Infinity, -Infinity, -Infinity]]]);
    expect([...(await maxPool1d(x, 3).data())]).toEqual([NaN, NaN, NaN, -Infinity]);
  });

  test("its stride is the kernel's size unless said otherwise", () => {
    expect(maxPool2d(zeros([1, 1, 6, 7]), [2, 3]).shape).toEqual([1, 1, 3, 2]);
    expect(averagePool3d(zeros([1, 1, 4, 4, 4]), 2).shape).toEqual([1, 1, 2, 2, 2]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "a missing axis",
      () => maxPool2d(zeros([1, 2, 3]), 2),
      "maxPool2d: x must be [B, C, ……] of 4 axes, got [1, 2, 3]",
    ],
    [
      "a kernel of nothing",
      () => averagePool1d(zeros([1, 1, 3]), 0),
      "averagePool1d: kernel, stride and dilation must be at least 1 and padding at most half the kernel, got 0, 0, 1 and 0",
    ],
    [
      "more padding than half a kernel",
      () => maxPool1d(zeros([1, 1, 9]), 3, { padding: 2 }),
      "maxPool1d: kernel, stride and dilation must be at least 1 and padding at most half the kernel, got 3, 3, 1 and 2",
    ],
    [
      "negative padding",
      () => maxPool3d(zeros([1, 1, 4, 4, 4]), 2, { padding: -1 }),
      "maxPool3d: kernel, stride and dilation must",
    ],
    [
      "a kernel that does not fit",
      () => maxPool1d(zeros([1, 1, 3]), 4),
      "maxPool1d: the kernel 4 must fit the padded axis 2 of 3",
    ],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
