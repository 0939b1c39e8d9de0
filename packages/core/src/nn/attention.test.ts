import { describe, expect, test } from "vitest";
import { ShapeError } from "../base/errors.ts";
import { Rng } from "../tensor/random.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { at, build, sample, sum, type Nd } from "../testing/nd.ts";
import { MultiHeadAttention } from "./attention.ts";

const leaf = (x: Nd): Tensor => tensor(Float32Array.from(x.data), { shape: x.shape });
// sums of some ten products and a softmax of numbers of about 1
const TOLERANCE = { absolute: 3e-6, relative: 3e-6 };

/** Vaswani et al. 2017, section 3.2, in float64: [B, N, E] each, weights [E, …]. */
function reference(q: Nd, k: Nd, v: Nd, weights: readonly Nd[], out: Nd, bias: Nd, outBias: Nd, heads: number): Nd {
  const dim = out.shape[0] ?? 0;
  const headDim = dim / heads;
  const [pq, pk, pv] = [q, k, v].map((x, i) =>
    build([x.shape[0] ?? 0, x.shape[1] ?? 0, dim], ([b = 0, n = 0, e = 0]) => {
      const w = weights[i] ?? out;
      return at(bias, [i * dim + e]) + sum(w.shape[1] ?? 0, (c) => at(x, [b, n, c]) * at(w, [e, c]));
    }),
  );
  if (!pq || !pk || !pv) throw new Error("three projections");
  const length = k.shape[1] ?? 0;
  const mixed = build(pq.shape, ([b = 0, n = 0, e = 0]) => {
    const head = Math.floor(e / headDim) * headDim;
    const scores = Array.from({ length }, (_, m) =>
      Math.exp(sum(headDim, (d) => at(pq, [b, n, head + d]) * at(pk, [b, m, head + d])) / Math.sqrt(headDim)),
    );
    const total = scores.reduce((a, s) => a + s, 0);
    return sum(length, (m) => ((scores[m] ?? 0) / total) * at(pv, [b, m, e]));
  });
  return build(
    pq.shape,
    ([b = 0, n = 0, e = 0]) => at(outBias, [e]) + sum(dim, (c) => at(mixed, [b, n, c]) * at(out, [e, c])),
  );
}

const rows = (x: Nd, from: number, to: number): Nd => {
  const width = x.shape[1] ?? 0;
  return { shape: [to - from, width], data: x.data.slice(from * width, to * width) };
};

describe("MultiHeadAttention", () => {
  test("follows its definition, to itself and to others, under PyTorch's names", async () => {
    const module = new MultiHeadAttention(6, 2);
    const [w, b] = [sample([18, 6], 1), sample([18], 2)];
    const [out, outBias] = [sample([6, 6], 3), sample([6], 4)];
    module.loadStateDict({
      in_proj_weight: leaf(w),
      in_proj_bias: leaf(b),
      "out_proj.weight": leaf(out),
      "out_proj.bias": leaf(outBias),
    });
    const [x, y] = [sample([2, 3, 6], 5), sample([2, 4, 6], 6)];
    const weights = [rows(w, 0, 6), rows(w, 6, 12), rows(w, 12, 18)];
    const [query, key] = [leaf(x), leaf(y)];
    const [own, cross] = [module.forward(query), module.forward(query, key)];
    await realize([own, cross]);
    expect(difference(await own.data(), reference(x, x, x, weights, out, b, outBias, 2).data, TOLERANCE)).toBeNull();
    expect(difference(await cross.data(), reference(x, y, y, weights, out, b, outBias, 2).data, TOLERANCE)).toBeNull();
  });

  test("takes keys and values of other widths", async () => {
    const module = new MultiHeadAttention(6, 3, { keyDim: 4, valueDim: 5, rng: new Rng(3) });
    expect(Object.keys(module.parameters())).toEqual([
      "q_proj_weight",
      "k_proj_weight",
      "v_proj_weight",
      "in_proj_bias",
      "out_proj.weight",
      "out_proj.bias",
    ]);
    const y = module.forward(zeros([1, 2, 6]), zeros([1, 7, 4]), zeros([1, 7, 5]));
    expect(y.shape).toEqual([1, 2, 6]);
    expect(await y.data()).toEqual(new Float32Array(12));
  });

  test("ignores keys that are not there, and what a mask hides", async () => {
    const module = new MultiHeadAttention(4, 2, { rng: new Rng(1) });
    const x = leaf(sample([1, 3, 4], 1));
    const present = tensor([[1, 1, 0]], { dtype: "bool" });
    const short = x.slice(1, 0, 2);
    const wanted = module.forward(x, short);
    const hidden = tensor([[1, 1, 0]], { dtype: "bool" }).expand([3, 3]);
    const added = concat([zeros([3, 2]), zeros([3, 1]).add(-1e9)], { axis: 1 });
    const results = [
      module.forward(x, x, x, { keys: present }),
      module.forward(x, x, x, { mask: hidden }),
      module.forward(x, x, x, { mask: added }),
      module.forward(x, x, x, { mask: hidden, keys: present }),
      module.forward(x, x, x, { mask: zeros([3, 3]), keys: present }),
    ];
    await realize([wanted, ...results]);
    for (const y of results) expect(difference(await y.data(), await wanted.data(), TOLERANCE)).toBeNull();
  });

  test("sees no later keys when causal", async () => {
    const module = new MultiHeadAttention(4, 2, { rng: new Rng(1) });
    const x = leaf(sample([1, 3, 4], 1));
    const [whole, start] = [module.forward(x, x, x, { causal: true }), module.forward(x.slice(1, 0, 1))];
    await realize([whole, start]);
    expect(difference((await whole.data()).subarray(0, 4), await start.data(), TOLERANCE)).toBeNull();
  });

  test("refuses heads that do not divide, and inputs that are no sequences", () => {
    expect(() => new MultiHeadAttention(6, 4)).toThrow("got 4 heads and width 6");
    expect(() => new MultiHeadAttention(6, 2).forward(zeros([3, 6]))).toThrow(ShapeError);
  });
});
