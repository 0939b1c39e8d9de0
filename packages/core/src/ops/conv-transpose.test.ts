import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { type Tolerance } from "../testing/allclose.ts";
import { describeOp, type OpCase } from "../testing/describe-op.ts";
import { at, build, coordinatesOf, sample, sum, type Nd } from "../testing/nd.ts";
import { conv2d } from "./conv.ts";
import { convTranspose1d, convTranspose2d, convTranspose3d, type ConvTransposeOptions } from "./conv-transpose.ts";

// sums of at most 100 products of numbers below 1
const SUMS: Tolerance = { absolute: 1e-5, relative: 1e-6 };
const GRADIENTS: Tolerance = { absolute: 3e-5, relative: 1e-5 };

interface Settings {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/**
 * Each element of x adds its copy of the kernel: y[b, o, i·stride + k·dilation − padding] += x[b, c, i] · w[c, o, k].
 *
 * @see torch.nn.ConvTranspose2d for the size
 */
function reference({ stride, padding, outputPadding, dilation, groups }: Settings, x: Nd, w: Nd, bias?: Nd): Nd {
  const [batch = 0, channels = 0, ...input] = x.shape;
  const [, perGroup = 0, ...kernel] = w.shape;
  const get = (list: readonly number[], a: number): number => list[a] ?? 0;
  const output = input.map(
    (n, a) =>
      (n - 1) * get(stride, a) -
      2 * get(padding, a) +
      get(dilation, a) * (get(kernel, a) - 1) +
      get(outputPadding, a) +
      1,
  );
  const taps = kernel.reduce((n, k) => n * k, 1);
  const each = channels / groups;
  return build([batch, perGroup * groups, ...output], ([b = 0, o = 0, ...place]) => {
    const first = Math.floor(o / perGroup) * each;
    const total = sum(each * taps, (n) => {
      const c = first + Math.floor(n / taps);
      const k = coordinatesOf(kernel, n % taps);
      const from = place.map((p, a) => (p + get(padding, a) - get(k, a) * get(dilation, a)) / get(stride, a));
      if (!from.every((i, a) => Number.isInteger(i) && i >= 0 && i < get(input, a))) return 0;
      return at(x, [b, c, ...from]) * at(w, [c, o % perGroup, ...k]);
    });
    return total + (bias ? at(bias, [o]) : 0);
  });
}

type ConvTranspose = (x: Tensor, w: Tensor, bias: Tensor | undefined, options: ConvTransposeOptions) => Tensor;
const OPS: Record<1 | 2 | 3, ConvTranspose> = { 1: convTranspose1d, 2: convTranspose2d, 3: convTranspose3d };

function check(name: string, rank: 1 | 2 | 3, settings: Partial<Settings>, cases: readonly OpCase[]): void {
  const all = (n: number): number[] => new Array<number>(rank).fill(n);
  const full: Settings = {
    stride: all(1),
    padding: all(0),
    outputPadding: all(0),
    dilation: all(1),
    groups: 1,
    ...settings,
  };
  describeOp(`convTranspose${rank}d ${name}`, (x, w, bias) => (x && w ? OPS[rank](x, w, bias, full) : zeros([])), {
    cases,
    reference: (x, w, bias) => reference(full, x, w, bias),
    tolerance: SUMS,
    gradientTolerance: GRADIENTS,
  });
}

check("plain", 1, {}, [
  { x: [2, 3, 5], w: [3, 4, 3], bias: [4] },
  { x: [1, 1, 1], w: [1, 1, 1] },
]);
check(
  "strided, dilated, with an output longer by one",
  1,
  { stride: [2], padding: [1], outputPadding: [1], dilation: [2] },
  [{ x: [2, 3, 4], w: [3, 2, 3], bias: [2] }],
);
check("in groups", 2, { groups: 2, stride: [2, 1], padding: [1, 0] }, [
  { x: [1, 4, 3, 2], w: [4, 3, 2, 3], bias: [6] },
]);
check("a channel at a time", 2, { groups: 3, stride: [2, 2] }, [{ x: [2, 3, 2, 3], w: [3, 1, 2, 2] }]);
check("of three axes", 3, { stride: [1, 2, 2], padding: [0, 1, 0], outputPadding: [0, 1, 0] }, [
  { x: [1, 2, 2, 3, 2], w: [2, 3, 2, 2, 2], bias: [3] },
]);
check("of no examples", 1, {}, [{ x: [0, 2, 3], w: [2, 3, 2], bias: [3] }]);

describe("transposed convolutions", () => {
  test("are the adjoint of convolutions: ⟨conv(x, w), y⟩ = ⟨x, convTranspose(y, w)⟩", async () => {
    const settings = fc.record({
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
      padding: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 1 })),
      groups: fc.constantFrom(1, 2),
    });
    const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
    const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      sum(a.length, (i) => (a[i] ?? 0) * (b[i] ?? 0));
    await fc.assert(
      fc.asyncProperty(settings, async ({ kernel, stride, padding, groups }) => {
        const x = sample([2, 4, 6, 5], 1);
        const w = leaf(sample([6, 4 / groups, ...kernel], 2));
        const forward = conv2d(leaf(x), w, null, {
          stride,
          padding: padding.map((p): [number, number] => [p, p]),
          groups,
        });
        const y = sample(forward.shape, 3);
        // what a stride leaves over at the end
        const outputPadding = [6, 5].map((n, a) => (n + 2 * (padding[a] ?? 0) - (kernel[a] ?? 1)) % (stride[a] ?? 1));
        const back = convTranspose2d(leaf(y), w, null, { stride, padding, outputPadding, groups });
        expect(back.shape).toEqual(x.shape);
        await realize([forward, back]);
        const [left, right] = [inner(await forward.data(), y.data), inner(x.data, await back.data())];
        // some thousands of products below 1, whose roundings add up like a random walk
        expect(Math.abs(left - right)).toBeLessThan(2e-4);
      }),
      { seed: 4, numRuns: 6 },
    );
  });

  test.each<[string, () => unknown, string]>([
    [
      "channels that differ",
      () => convTranspose1d(zeros([1, 3, 5]), zeros([4, 2, 1])),
      "convTranspose1d: x [B, C, …] and weight [C, O/groups, …] of 1 axes must share C, divisible by groups 1, got [1, 3, 5] and [4, 2, 1]",
    ],
    [
      "groups that do not divide",
      () => convTranspose2d(zeros([1, 3, 2, 2]), zeros([3, 2, 1, 1]), null, { groups: 2 }),
      "convTranspose2d: x [B, C, …] and weight [C, O/groups, …] of 2 axes must share C, divisible by groups 2",
    ],
    [
      "a missing axis",
      () => convTranspose3d(zeros([1, 3, 2, 2]), zeros([3, 2, 1, 1, 1])),
      "convTranspose3d: x [B, C, …]",
    ],
    [
      "a bias of another length",
      () => convTranspose1d(zeros([1, 4, 5]), zeros([4, 3, 1]), zeros([3]), { groups: 2 }),
      "convTranspose1d: bias must have shape [6], got [3]",
    ],
    [
      "no stride",
      () => convTranspose1d(zeros([1, 1, 5]), zeros([1, 1, 3]), null, { stride: 0 }),
      "convTranspose1d: strides and dilations must be whole numbers of at least 1",
    ],
    [
      "an output longer by a whole stride",
      () => convTranspose1d(zeros([1, 1, 5]), zeros([1, 1, 3]), null, { stride: 2, outputPadding: 2 }),
      "convTranspose1d: outputPadding must be less than stride or dilation, got [2]",
    ],
    [
      "more cut off than there is",
      () => convTranspose2d(zeros([1, 1, 2, 2]), zeros([1, 1, 3, 1]), null, { padding: [2, 1] }),
      "convTranspose2d: the result must have at least 1 element an axis, got [0, 0]",
    ],
  ])("refuse %s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("refuse whole numbers", () => {
    expect(() => convTranspose1d(zeros([1, 1, 4], "i32"), zeros([1, 1, 3]))).toThrow(DTypeError);
  });
});
