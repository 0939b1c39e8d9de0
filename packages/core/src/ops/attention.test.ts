import { describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { getDevice } from "../runtime/index.ts";
import { arange, tensor, zeros } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { numericGradient } from "../testing/gradcheck.ts";
import { at, build, sample, type Nd } from "../testing/nd.ts";
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
      "attention: q, k and v must be [..., H, N, D] with k and v of one length",
    ],
    [{ q: [1, 3, 3, 4], k: [1, 2, 3, 4], v: [1, 2, 3, 4] }, "attention: the heads of k and v must divide those of q"],
    [{ q: [2, 1, 3, 4], k: [1, 1, 3, 4], v: [1, 1, 3, 4] }, "attention: q, k and v must be [..., H, N, D]"],
    [{ q: [1, 1, 3, 4], k: [1, 1, 3, 5], v: [1, 1, 3, 4] }, "attention: q and k must share headDim, got 4 and 5"],
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

/** The heads of k and v that the queries' heads read, each in a group of neighbours. */
const repeated = (x: Nd, heads: number): Nd =>
  build([x.shape[0] ?? 0, heads, ...x.shape.slice(2)], ([b = 0, h = 0, ...rest]) =>
    at(x, [b, Math.floor(h / (heads / (x.shape[1] ?? 1))), ...rest]),
  );
describeOp("attention of grouped queries, values of another width", (q, k, v) => attention(q, k, v), {
  cases: [
    { q: [2, 4, 3, 4], k: [2, 2, 5, 4], v: [2, 2, 5, 3] },
    { q: [1, 3, 2, 4], k: [1, 1, 2, 4], v: [1, 1, 2, 1] },
  ],
  reference: (q, k, v) => {
    const heads = q.shape[1] ?? 0;
    return reference(q, repeated(k, heads), repeated(v, heads));
  },
  tolerance: ATTENTION,
});

/** −∞ where the key comes after the query. */
const future = (nq: number, nk: number): Nd => build([nq, nk], ([i = 0, j = 0]) => (j > i ? -Infinity : 0));
describeOp("attention, causal", (q, k, v) => attention(q, k, v, { causal: true }), {
  cases: [
    { q: [1, 2, 4, 4], k: [1, 2, 4, 4], v: [1, 2, 4, 4] },
    { q: [1, 1, 2, 4], k: [1, 1, 5, 4], v: [1, 1, 5, 4] },
  ],
  reference: (q, k, v) => reference(q, k, v, future(q.shape[2] ?? 0, k.shape[2] ?? 0)),
  tolerance: ATTENTION,
});

describeOp(
  "attention, causal with a mask",
  (q, k, v, mask) => attention(q, k, v, { causal: true, ...(mask ? { mask } : {}) }),
  {
    cases: [
      { q: [2, 2, 5, 4], k: [2, 2, 5, 4], v: [2, 2, 5, 4], mask: [2, 1, 5, 5] },
      { q: [1, 4, 3, 4], k: [1, 2, 6, 4], v: [1, 2, 6, 3], mask: [4, 1, 6] },
      { q: [1, 1, 7, 5], k: [1, 1, 3, 5], v: [1, 1, 3, 6], mask: [7, 1] },
    ],
    reference: (q, k, v, mask = future(1, 1)) => {
      const [heads = 0, queries = 0] = q.shape.slice(1);
      const masked = zip((m, f) => m + f, mask, future(queries, k.shape[2] ?? 0));
      return reference(q, repeated(k, heads), repeated(v, heads), masked);
    },
    tolerance: ATTENTION,
  },
);

const fourAxes = (x: Nd): Nd => ({
  shape: [...new Array<number>(4 - x.shape.length).fill(1), ...x.shape],
  data: x.data,
});
describeOp("attention without heads or batch", (q, k, v) => attention(q, k, v), {
  cases: [
    { q: [3, 4], k: [5, 4], v: [5, 2] },
    { q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 2] },
  ],
  reference: (q, k, v) => {
    const y = reference(fourAxes(q), fourAxes(k), fourAxes(v));
    return { shape: y.shape.slice(4 - q.shape.length), data: y.data };
  },
  tolerance: ATTENTION,
});

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });

/** Three sequences of queries and keys, packed end to end: the lengths of each. */
const QUERY_LENGTHS = [4, 3, 2];
const KEY_LENGTHS = [2, 5, 4];
const idsOf = (lengths: readonly number[]): Tensor =>
  tensor(
    lengths.flatMap((n, i) => new Array<number>(n).fill(10 - 5 * i)),
    { dtype: "i32" },
  );
/** Sequence i of those that lie along axis 2. */
const sequence = (x: Tensor, lengths: readonly number[], i: number): Tensor => x.split(lengths, 2)[i] ?? zeros([]);

describe("attention", () => {
  test("takes a bool mask for where a query may attend, together with causal", async () => {
    const [q, k, v] = [sample([1, 2, 3, 4], 1), sample([1, 2, 3, 4], 2), sample([1, 2, 3, 4], 3)];
    const allowed = build([3, 3], ([i = 0, j = 0]) => (i === j || j === 0 ? 1 : 0));
    const mask = leaf(allowed).cast("bool");
    const barred = zip((a, f) => (a === 0 ? -Infinity : f), allowed, future(3, 3));
    const results = [
      attention(leaf(q), leaf(k), leaf(v), { mask }),
      attention(leaf(q), leaf(k), leaf(v), { mask, causal: true }),
    ] as const;
    await realize(results);
    await expectClose(
      results[0],
      reference(
        q,
        k,
        v,
        zip((a) => (a === 0 ? -Infinity : 0), allowed),
      ),
      ATTENTION,
    );
    await expectClose(results[1], reference(q, k, v, barred), ATTENTION);
    expect(() => attention(leaf(q), leaf(k), leaf(v), { mask: mask.cast("i32") })).toThrow(
      new DTypeError("attention: input must be f32 or bool, got i32; cast it first"),
    );
  });

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

  test.each<[string, { causal?: boolean; masked?: boolean; width?: number }]>([
    ["by the kernels", {}],
    ["causal", { causal: true }],
    ["with a mask", { masked: true }],
    ["with a mask, causal", { masked: true, causal: true }],
    ["of values of another width", { width: 3 }],
  ])("of packed sequences equals that of each by itself, forwards and backwards: %s", async (_, options) => {
    const { causal = false, masked = false, width = 4 } = options;
    const keyLengths = causal ? QUERY_LENGTHS : KEY_LENGTHS;
    const [queries, keys] = [9, causal ? 9 : 11];
    // heads in groups of two
    const leaves = [sample([2, 4, queries, 4], 1), sample([2, 2, keys, 4], 2), sample([2, 2, keys, width], 3)].map(
      leaf,
    );
    const [q = zeros([]), k = zeros([]), v = zeros([])] = leaves;
    const mask = sample([queries, keys], 4);
    const allowed = leaf({ shape: mask.shape, data: mask.data.map((m) => Number(m > -0.6)) }).cast("bool");
    const packed = attention(q, k, v, {
      causal,
      segments: { queries: idsOf(QUERY_LENGTHS), keys: idsOf(keyLengths) },
      ...(masked ? { mask: allowed } : {}),
    });
    const alone = QUERY_LENGTHS.map((_n, i) =>
      attention(sequence(q, QUERY_LENGTHS, i), sequence(k, keyLengths, i), sequence(v, keyLengths, i), {
        causal,
        ...(masked
          ? { mask: (allowed.split(QUERY_LENGTHS, 0)[i] ?? zeros([])).split(keyLengths, 1)[i] ?? zeros([]) }
          : {}),
      }),
    );
    const apart = concat(alone, { axis: 2 });
    const weights = leaf(sample(packed.shape, 5));
    const pairs = [packed, apart].map((y) => [y, ...grad(y, leaves, weights)]);
    await realize(pairs.flat());
    const [found = [], expected = []] = pairs;
    for (const [i, y] of found.entries()) {
      const want = expected[i] ?? zeros([]);
      const data = Float64Array.from(await want.data());
      await expectClose(y, { shape: want.shape, data }, ATTENTION, ["y", "dq", "dk", "dv"][i]);
    }
  });

  test("gives zeros to a query without a key of its segment, and no gradient", async () => {
    const [q, k, v] = [sample([1, 1, 3, 4], 1), sample([1, 1, 2, 4], 2), sample([1, 1, 2, 4], 3)].map(leaf);
    if (!q || !k || !v) throw new Error("three inputs");
    const segments = {
      queries: tensor([[7, 8, 7]], { dtype: "u32" }),
      keys: tensor([[7, 9]], { dtype: "u32" }),
    };
    const y = attention(q, k, v, { segments });
    const gradients = grad(y.sum(), [q, k, v]);
    await realize([y, ...gradients]);
    const [, dk, dv] = await Promise.all(gradients.map((g) => g.data()));
    const found = [...(await y.data())];
    const first = [...(await v.slice(2, 0, 1).data())];
    expect(found).toEqual([...first, 0, 0, 0, 0, ...first]);
    expect([...(dk ?? [])].slice(4)).toEqual([0, 0, 0, 0]);
    expect([...(dv ?? [])]).toEqual([2, 2, 2, 2, 0, 0, 0, 0]);
  });

  test("gives zeros to a causal query whose keys a mask hides, and no gradient", async () => {
    const [q, k, v] = [sample([1, 1, 3, 4], 1), sample([1, 1, 3, 4], 2), sample([1, 1, 3, 4], 3)].map(leaf);
    if (!q || !k || !v) throw new Error("three inputs");
    const mask = tensor([-Infinity, 0, 0.5]);
    const y = attention(q, k, v, { causal: true, mask });
    const gradients = grad(y.square().sum(), [q, k, v, mask]);
    await realize([y, ...gradients]);
    const first = await Promise.all(
      [y, ...gradients].map(async (t) => [...(await t.data())].slice(0, t.ndim === 1 ? 1 : 4)),
    );
    expect(first.flat().map(Math.abs)).toEqual(new Array<number>(17).fill(0));
    // the second query sees one key alone, the third two
    expect([...(await y.data())].slice(4, 8)).toEqual([...(await v.data())].slice(4, 8));
    const [, second = NaN, third = NaN] = await (gradients[3] ?? zeros([])).data();
    expect(second + third).toBeCloseTo(0, 5);
  });

  test("holds no scores, whatever is asked of it, forwards and backwards", async () => {
    const { pool } = await getDevice();
    const held = (): number => pool.liveBytes + pool.pooledBytes;
    const leaves = [sample([1, 4, 1000, 4], 1), sample([1, 2, 900, 4], 2), sample([1, 2, 900, 3], 3)].map(leaf);
    const [q = zeros([]), k = zeros([]), v = zeros([])] = leaves;
    const mask = leaf(sample([900], 4)).gt(-0.8);
    const ids = (count: number): Tensor => arange(count, { dtype: "i32" }).floorDivide(300);
    await realize([...leaves, mask]);
    const before = held();
    const y = attention(q, k, v, { causal: true, mask, segments: { queries: ids(1000), keys: ids(900) } });
    await realize([y, ...grad(y.square().sum(), leaves)]);
    // one head's scores are 3.4 MiB
    expect(held() - before).toBeLessThan(2 * 2 ** 20);
  });

  test("takes one row of ids for queries and keys, and refuses ids that do not fit", async () => {
    const x = leaf(sample([2, 3, 4], 6));
    const ids = tensor([1, 1, 2], { dtype: "i32" });
    const [one, two] = [
      attention(x, x, x, { segments: ids }),
      attention(x, x, x, { segments: { queries: ids, keys: ids } }),
    ];
    await realize([one, two]);
    expect(await one.data()).toEqual(await two.data());
    expect(() => attention(x, x, x, { segments: zeros([2], "i32") })).toThrow(
      new ShapeError("attention: segments of queries must be [3], got [2]"),
    );
    expect(() => attention(x, x, x, { segments: zeros([3]) })).toThrow(
      new DTypeError("attention: segments must be i32 or u32, got f32"),
    );
  });
});
