import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp, type OpCase } from "../testing/describe-op.ts";
import { at, build, coordinatesOf, sample, sum, type Nd } from "../testing/nd.ts";
import { conv1d, conv2d, conv3d, type ConvOptions } from "./conv.ts";

// sums of at most 200 products of numbers below 1
const SUMS: Tolerance = { absolute: 1e-5, relative: 1e-6 };
const GRADIENTS: Tolerance = { absolute: 3e-5, relative: 1e-5 };

interface Settings {
  readonly stride: readonly number[];
  readonly pads: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** Cross-correlation as defined: y[b, o, p] = bias[o] + Σ over c, k of x[b, c, p·stride + k·dilation − before] · w[o, c, k]. */
function reference({ stride, pads, dilation, groups }: Settings, x: Nd, w: Nd, bias?: Nd): Nd {
  const [batch = 0, , ...input] = x.shape;
  const [out = 0, perGroup = 0, ...kernel] = w.shape;
  const output = input.map((n, a) => {
    const [before, after] = pads[a] ?? [0, 0];
    return Math.floor((n + before + after - (dilation[a] ?? 1) * ((kernel[a] ?? 1) - 1) - 1) / (stride[a] ?? 1)) + 1;
  });
  const taps = kernel.reduce((n, k) => n * k, 1);
  return build([batch, out, ...output], ([b = 0, o = 0, ...place]) => {
    const first = Math.floor(o / (out / groups)) * perGroup;
    const total = sum(perGroup * taps, (i) => {
      const c = Math.floor(i / taps);
      const k = coordinatesOf(kernel, i % taps);
      const source = place.map((p, a) => p * (stride[a] ?? 1) + (k[a] ?? 0) * (dilation[a] ?? 1) - (pads[a]?.[0] ?? 0));
      if (source.some((s, a) => s < 0 || s >= (input[a] ?? 0))) return 0;
      return at(x, [b, first + c, ...source]) * at(w, [o, c, ...k]);
    });
    return total + (bias ? at(bias, [o]) : 0);
  });
}

type Conv = (x: Tensor, w: Tensor, bias: Tensor | undefined, options: ConvOptions) => Tensor;
const CONVS: Record<1 | 2 | 3, Conv> = { 1: conv1d, 2: conv2d, 3: conv3d };

function check(name: string, rank: 1 | 2 | 3, settings: Partial<Settings>, cases: readonly OpCase[]): void {
  const full: Settings = {
    stride: new Array<number>(rank).fill(1),
    pads: new Array<[number, number]>(rank).fill([0, 0]),
    dilation: new Array<number>(rank).fill(1),
    groups: 1,
    ...settings,
  };
  const options: ConvOptions = {
    stride: full.stride,
    padding: full.pads,
    dilation: full.dilation,
    groups: full.groups,
  };
  describeOp(`conv${rank}d ${name}`, (x, w, bias) => (x && w ? CONVS[rank](x, w, bias, options) : zeros([])), {
    cases,
    reference: (x, w, bias) => reference(full, x, w, bias),
    tolerance: SUMS,
    gradientTolerance: GRADIENTS,
  });
}

check("plain", 1, {}, [
  { x: [2, 3, 9], w: [5, 3, 3], bias: [5] },
  { x: [1, 4, 8], w: [8, 4, 1] },
]);
check("strided, padded on one side, dilated", 1, { stride: [2], pads: [[2, 0]], dilation: [2] }, [
  { x: [2, 3, 11], w: [4, 3, 3], bias: [4] },
]);
check("in groups", 1, { groups: 2, pads: [[1, 1]] }, [{ x: [2, 6, 7], w: [4, 3, 3], bias: [4] }]);
check("a channel at a time", 1, { groups: 5, pads: [[1, 1]] }, [{ x: [1, 5, 6], w: [5, 1, 3], bias: [5] }]);
check(
  "strided in both, padded unevenly",
  2,
  {
    stride: [2, 3],
    pads: [
      [1, 0],
      [2, 1],
    ],
  },
  [{ x: [2, 3, 6, 7], w: [4, 3, 3, 2], bias: [4] }],
);
check("dilated in groups", 2, { groups: 3, dilation: [1, 2] }, [{ x: [1, 6, 4, 5], w: [3, 2, 2, 2] }]);
check(
  "causal in time",
  3,
  {
    pads: [
      [2, 0],
      [1, 1],
      [1, 1],
    ],
  },
  [{ x: [1, 2, 3, 3, 2], w: [3, 2, 3, 3, 3], bias: [3] }],
);
check("of patches", 3, { stride: [1, 2, 2] }, [{ x: [2, 2, 2, 4, 4], w: [4, 2, 1, 2, 2], bias: [4] }]);
check("of no examples", 2, {}, [{ x: [0, 2, 3, 3], w: [3, 2, 2, 2], bias: [3] }]);

describe("convolutions", () => {
  test("in a row share their layout and still give channels first", async () => {
    const [x, w, v] = [sample([1, 3, 5, 6], 1), sample([4, 3, 3, 3], 2), sample([2, 4, 1, 1], 3)];
    const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
    const y = conv2d(conv2d(leaf(x), leaf(w), null, { padding: 1 }).silu(), leaf(v));
    const plain: Settings = {
      stride: [1, 1],
      pads: [
        [1, 1],
        [1, 1],
      ],
      dilation: [1, 1],
      groups: 1,
    };
    const middle = reference(plain, x, w);
    const silu = { shape: middle.shape, data: middle.data.map((a) => a / (1 + Math.exp(-a))) };
    await expectClose(y, reference({ ...plain, pads: [] }, silu, v), SUMS);
  });

  test("of nothing but padding give the bias", async () => {
    const bias = tensor([1, 2]);
    const x = zeros([1, 3, 0]);
    const y = conv1d(x, zeros([2, 3, 2]), bias, { padding: 1 });
    const [db] = grad(y, [bias]);
    await realize([y, ...(db ? [db] : [])]);
    expect(await y.data()).toEqual(Float32Array.of(1, 2));
    expect(await db?.data()).toEqual(Float32Array.of(1, 1));
    expect(conv1d(zeros([1, 3, 0]), zeros([2, 3, 2])).shape).toEqual([1, 2, 0]);
  });

  test("differentiate twice", async () => {
    // f = Σ (w * x)², so ∂f/∂x = 2 wᵀ(w * x) and, for a scalar w, ∂²f/∂x∂w summed = 4 w Σx
    const x = tensor([[[1, 2, 3]]]);
    const w = tensor([[[0.5]]]);
    const [dx] = grad(conv1d(x, w).square().sum(), [x]);
    const [dw] = grad(dx?.sum() ?? zeros([]), [w]);
    expect(await dw?.item()).toBeCloseTo(4 * 0.5 * 6, 5);
  });

  test.each<[string, () => unknown, string]>([
    [
      "channels that differ",
      () => conv1d(zeros([1, 3, 5]), zeros([2, 4, 1])),
      "conv1d: x [B, C, …] and weight [O, C/groups, …] of 1 axes must share C with groups 1 dividing O, got [1, 3, 5] and [2, 4, 1]",
    ],
    [
      "groups that do not divide",
      () => conv2d(zeros([1, 4, 3, 3]), zeros([3, 2, 1, 1]), null, { groups: 2 }),
      "conv2d: x [B, C, …]",
    ],
    [
      "a missing axis",
      () => conv3d(zeros([1, 3, 5, 5]), zeros([2, 3, 1, 1])),
      "conv3d: x [B, C, …] and weight [O, C/groups, …] of 3 axes",
    ],
    [
      "a bias of another length",
      () => conv1d(zeros([1, 3, 5]), zeros([2, 3, 1]), zeros([3])),
      "conv1d: bias must have shape [2], got [3]",
    ],
    [
      "a kernel that does not fit",
      () => conv2d(zeros([1, 1, 2, 5]), zeros([1, 1, 3, 3])),
      "conv2d: the kernel must fit the padded input, got a reach of 3 over 2 elements of axis 2",
    ],
    [
      "no stride",
      () => conv1d(zeros([1, 1, 5]), zeros([1, 1, 3]), null, { stride: 0 }),
      "conv1d: strides and dilations must be whole numbers of at least 1, got [0] and [1]",
    ],
    [
      "half a dilation",
      () => conv1d(zeros([1, 1, 5]), zeros([1, 1, 3]), null, { dilation: 0.5 }),
      "conv1d: strides and dilations must be whole",
    ],
  ])("refuse %s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("refuse whole numbers", () => {
    expect(() => conv1d(zeros([1, 1, 4], "i32"), zeros([1, 1, 3]))).toThrow(DTypeError);
  });
});
