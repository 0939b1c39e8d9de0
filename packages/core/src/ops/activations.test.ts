import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, withAxis, type Nd } from "../testing/nd.ts";
import { zip } from "../testing/reference.ts";
import {
  elu,
  glu,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  nanToNum,
  quickGelu,
  relu6,
  softplus,
} from "./activations.ts";

// WGSL, "Accuracy of built-in functions": exp to 3 + 2|x| units in the last place, log to 2⁻²¹; a product by at most 4
const EXPONENTIALS: Tolerance = { absolute: 8e-6, relative: 8e-6 };

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softPlus = (x: number): number => Math.log1p(Math.exp(x));

// the papers' formulas; those of straight pieces are exact but for a product
const formulas: [string, (x: Tensor) => Tensor, (x: number) => number, Tolerance][] = [
  ["logSigmoid", logSigmoid, (x) => Math.log(sigmoid(x)), EXPONENTIALS],
  ["softplus", (x) => softplus(x), softPlus, EXPONENTIALS],
  [
    "softplus, β = 3, threshold 6",
    (x) => softplus(x, { beta: 3, threshold: 6 }),
    (x) => (3 * x > 6 ? x : softPlus(3 * x) / 3),
    EXPONENTIALS,
  ],
  ["mish", mish, (x) => x * Math.tanh(softPlus(x)), EXPONENTIALS],
  ["quickGelu", quickGelu, (x) => x * sigmoid(1.702 * x), EXPONENTIALS],
  ["relu6", (x) => relu6(x.mul(3)), (x) => Math.min(6, Math.max(0, 3 * x)), ROUNDING],
  ["hardtanh", (x) => hardtanh(x, -2, 1.5), (x) => Math.min(1.5, Math.max(-2, x)), ROUNDING],
  ["leakyRelu", (x) => leakyRelu(x, 0.2), (x) => (x > 0 ? x : 0.2 * x), ROUNDING],
  ["elu", (x) => elu(x, 1.3), (x) => (x > 0 ? x : 1.3 * Math.expm1(x)), EXPONENTIALS],
];
for (const [name, op, value, tolerance] of formulas)
  describeOp(name, op, {
    cases: [{ x: [3, 5] }, { x: [0, 2] }],
    reference: (x) => zip(value, x),
    tolerance,
    range: [-4, 4],
  });

function gated(x: Nd, axis: number): Nd {
  const half = (x.shape[axis] ?? 0) / 2;
  return build(withAxis(x.shape, axis, half), (index) => {
    const c = index[axis] ?? 0;
    return at(x, index) * sigmoid(at(x, withAxis(index, axis, c + half)));
  });
}
describeOp("glu", (x) => glu(x), {
  cases: [{ x: [3, 10] }, { x: [2] }, { x: [2, 0] }],
  reference: (x) => gated(x, x.shape.length - 1),
  tolerance: EXPONENTIALS,
  throws: [
    [{ x: [2, 3] }, "glu: axis -1 must be even, got shape [2, 3]"],
    [{ x: [] }, "glu: axis must be in [0, -1] for 0 dimensions, got -1"],
  ],
});
describeOp("glu of axis -2", (x) => glu(x, -2), {
  cases: [{ x: [2, 6, 3] }],
  reference: (x) => gated(x, 1),
  tolerance: EXPONENTIALS,
});

/** Values and slopes of `op` at some points. */
async function pointwise(op: (x: Tensor) => Tensor, at: readonly number[]): Promise<{ y: number[]; slope: number[] }> {
  const x = tensor([...at]);
  const y = op(x);
  const [dx = zeros([])] = grad(y, [x]);
  return { y: [...(await y.data())], slope: [...(await dx.data())] };
}

describe("activations", () => {
  // limits of the formulas: the linear part alone is left, or nothing
  test("neither overflow nor lose their slope far out", async () => {
    const FAR = [-1e30, -200, 200, 1e30];
    expect(await pointwise(logSigmoid, FAR)).toEqual({
      y: [Math.fround(-1e30), -200, 0, 0],
      slope: [1, 1, 0, 0],
    });
    expect(await pointwise((x) => softplus(x), FAR)).toEqual({
      y: [0, 0, 200, Math.fround(1e30)],
      slope: [0, 0, 1, 1],
    });
    expect(await pointwise((x) => elu(x, 2), FAR)).toEqual({
      y: [-2, -2, 200, Math.fround(1e30)],
      slope: [0, 0, 1, 1],
    });
  });

  // as PyTorch: hardtanh and relu6 are flat at their ends, leakyRelu and elu take the left slope at 0
  test("have PyTorch's slopes at their corners", async () => {
    expect((await pointwise((x) => hardtanh(x), [-1, 0, 1])).slope).toEqual([0, 1, 0]);
    expect((await pointwise(relu6, [0, 3, 6])).slope).toEqual([0, 1, 0]);
    expect((await pointwise((x) => leakyRelu(x, 0.25), [0])).slope).toEqual([0.25]);
    expect((await pointwise((x) => elu(x, 0.5), [0])).slope).toEqual([0.5]);
    expect((await pointwise(logSigmoid, [0])).slope).toEqual([0.5]);
  });

  test("nanToNum replaces NaN and infinities alone, with the float's ends by default", async () => {
    const x = [NaN, Infinity, -Infinity, 1.5, -2];
    const LARGEST = 3.4028234663852886e38;
    expect(await pointwise((t) => nanToNum(t), x)).toEqual({
      y: [0, LARGEST, -LARGEST, 1.5, -2],
      slope: [0, 0, 0, 1, 1],
    });
    expect((await pointwise((t) => nanToNum(t, { nan: 7, posinf: 8, neginf: 9 }), x)).y).toEqual([7, 8, 9, 1.5, -2]);
  });
});
