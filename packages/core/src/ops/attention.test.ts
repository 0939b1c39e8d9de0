import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { realize, tensor, zeros, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { numericGradient } from "../testing/gradcheck.ts";
import { build, sample, type Nd } from "../testing/nd.ts";
import { matmul, softmax, zip } from "../testing/reference.ts";
import { attention } from "./attention.ts";

// scores of at most 40 products, exponentials good to 1e-6, sums of at most 70 of them
const ATTENTION: Tolerance = { absolute: 1e-5, relative: 1e-5 };

const swap = (x: Nd): Nd => {
  const [b = 0, h = 0, n = 0, d = 0] = x.shape;
  return build([b, h, d, n], ([i = 0, j = 0, k = 0, l = 0]) => x.data[((i * h + j) * n + l) * d + k] ?? NaN);
};
function reference(q: Nd, k: Nd, v: Nd, mask?: Nd, scale = 1 / Math.sqrt(q.shape[3] ?? 1)): Nd {
  const scores = zip((s) => s * scale, matmul(q, swap(k)));
  return matmul(softmax(mask ? zip((s, m) => s + m, scores, mask) : scores), v);
}

const SIZES = [
  { q: [2, 3, 5, 8], k: [2, 3, 7, 8], v: [2, 3, 7, 8] },
  { q: [1, 1, 1, 3], k: [1, 1, 1, 3], v: [1, 1, 1, 3] },
  { q: [1, 2, 33, 4], k: [1, 2, 33, 4], v: [1, 2, 33, 4] },
  { q: [1, 1, 3, 40], k: [1, 1, 70, 40], v: [1, 1, 70, 40] },
];

describeOp("attention", (q, k, v) => attention(q, k, v), {
  cases: [
    ...SIZES,
    { q: [0, 2, 3, 4], k: [0, 2, 3, 4], v: [0, 2, 3, 4] },
    { q: [1, 2, 0, 4], k: [1, 2, 3, 4], v: [1, 2, 3, 4] },
    { q: [1, 2, 3, 4], k: [1, 2, 0, 4], v: [1, 2, 0, 4] },
  ],
  reference: (q, k, v) => reference(q, k, v),
  tolerance: ATTENTION,
  range: [-2, 2],
  throws: [
    [
      { q: [1, 2, 3, 4], k: [1, 2, 3, 4], v: [1, 2, 4, 4] },
      "attention: q, k and v must be [B, H, N, D] with k and v of one length",
    ],
    [{ q: [1, 2, 3, 4], k: [1, 1, 3, 4], v: [1, 1, 3, 4] }, "attention: q, k and v must be [B, H, N, D]"],
    [{ q: [2, 3, 4], k: [2, 3, 4], v: [2, 3, 4] }, "attention: q, k and v must be [B, H, N, D]"],
    [{ q: [1, 1, 3, 4], k: [1, 1, 3, 5], v: [1, 1, 3, 4] }, "attention: q, k and v must share headDim, got 4, 5 and 4"],
  ],
});

describeOp(
  "attention with a mask, scaled",
  (q, k, v, mask) => attention(q, k, v, { scale: 0.3, ...(mask ? { mask } : {}) }),
  {
    cases: [
      { q: [2, 3, 5, 8], k: [2, 3, 7, 8], v: [2, 3, 7, 8], mask: [2, 1, 5, 7] },
      { q: [2, 2, 4, 4], k: [2, 2, 6, 4], v: [2, 2, 6, 4], mask: [2, 1, 1, 6] },
      { q: [1, 2, 3, 4], k: [1, 2, 3, 4], v: [1, 2, 3, 4], mask: [3] },
    ],
    reference: (q, k, v, mask) => reference(q, k, v, mask, 0.3),
    tolerance: ATTENTION,
    range: [-2, 2],
    throws: [
      [
        { q: [1, 1, 3, 4], k: [1, 1, 5, 4], v: [1, 1, 5, 4], mask: [4, 5] },
        "attention: mask must broadcast to [1, 1, 3, 5], got [4, 5]",
      ],
      [
        { q: [1, 1, 3, 4], k: [1, 1, 5, 4], v: [1, 1, 5, 4], mask: [2, 1, 3, 5] },
        "attention: mask must broadcast to [1, 1, 3, 5], got [2, 1, 3, 5]",
      ],
    ],
  },
);

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });

describe("attention", () => {
  test("with a constant mask gives q, k and v the gradients of its definition", async () => {
    const [q, k, v] = [sample([1, 2, 4, 8], 1), sample([1, 2, 6, 8], 2), sample([1, 2, 6, 8], 3)];
    const mask = build([1, 1, 4, 6], ([, , i = 0, j = 0]) => (j > i + 2 ? -Infinity : 0));
    const leaves = [q, k, v].map(leaf);
    const [tq = zeros([]), tk = zeros([]), tv = zeros([])] = leaves;
    const y = attention(tq, tk, tv, { mask: leaf(mask) });
    const gradients = grad(y.square().sum(), leaves);
    await realize([y, ...gradients]);
    await expectClose(y, reference(q, k, v, mask), ATTENTION);
    for (const [i, g] of gradients.entries()) {
      const numeric = numericGradient(
        ([a = q, b = k, c = v]) => zip((o) => o * o, reference(a, b, c, mask)),
        [q, k, v],
        i,
        build([1, 2, 4, 8], () => 1),
      );
      await expectClose(g, numeric, { absolute: 5e-5, relative: 1e-4 }, `gradient ${i}`);
    }
  });

  test("over heads that lie interleaved in one projection", async () => {
    // [B, N, 3, H, D], as one linear layer gives q, k and v
    const qkv = sample([2, 5, 3, 2, 4], 4);
    const whole = leaf(qkv);
    const part = (i: number): Tensor =>
      whole
        .slice(2, i, i + 1)
        .squeeze(2)
        .permute([0, 2, 1, 3]);
    const expected = (i: number): Nd =>
      build([2, 2, 5, 4], ([b = 0, h = 0, n = 0, d = 0]) => qkv.data[(((b * 5 + n) * 3 + i) * 2 + h) * 4 + d] ?? NaN);
    const y = attention(part(0), part(1), part(2));
    const [dx] = grad(y.sum(), [whole]);
    await expectClose(y, reference(expected(0), expected(1), expected(2)), ATTENTION);
    // softmax weights add up to one: the values of a head get five times their share of ones in all
    const dv = (await dx?.slice(2, 2).sum().item()) ?? NaN;
    expect(dv).toBeCloseTo(2 * 5 * 2 * 4, 3);
  });

  test("is invariant to a shift of all scores, and large scores stay finite", async () => {
    const [q, k, v] = [sample([1, 1, 3, 4], 1, 50, 60), sample([1, 1, 6, 4], 2, 50, 60), sample([1, 1, 6, 4], 3)];
    const y = attention(leaf(q), leaf(k), leaf(v));
    const shifted = attention(leaf(q), leaf(k), leaf(v), { mask: tensor([-1000]) });
    await expectClose(y, reference(q, k, v), { absolute: 5e-3, relative: 0 });
    await expectClose(shifted, reference(q, k, v), { absolute: 5e-3, relative: 0 });
  });
});
