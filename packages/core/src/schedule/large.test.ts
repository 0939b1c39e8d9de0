import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { attention, type AttentionOptions } from "../ops/attention.ts";
import { ctcLoss } from "../ops/ctc-loss.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { conv1d, conv2d, conv3d } from "../ops/conv.ts";
import { convTranspose1d } from "../ops/conv-transpose.ts";
import { cumprod, cumsum } from "../ops/cumulative.ts";
import { embedding } from "../ops/embedding.ts";
import { gather } from "../ops/indexing.ts";
import { argsort, sort } from "../ops/sort.ts";
import { AdamW } from "../optim/adamw.ts";
import { getDevice } from "../runtime/device.ts";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";

// Adapters bind 128 MiB and more; what holds at a limit is seen at a small one as well.
const LIMIT = 8192;
let traits: { maxStorageBinding: number };
let before = 0;
beforeAll(async () => {
  traits = (await getDevice()).traits as { maxStorageBinding: number };
  before = traits.maxStorageBinding;
});
afterAll(() => {
  traits.maxStorageBinding = before;
});

/** A plan is kept for its graph: beside this the graphs under the two limits differ. */
const marker = (): Tensor => tensor(new Float32Array(traits.maxStorageBinding === LIMIT ? 1 : 2)).sum();

/** What `make` gives under the small limit, and without one. */
async function both(make: () => Tensor): Promise<[Float32Array, Float32Array]> {
  const once = async (limit: number): Promise<Float32Array> => {
    traits.maxStorageBinding = limit;
    const y = make();
    await realize([y, marker()]);
    const values = await y.cast("f32").data();
    y.dispose();
    return values as Float32Array;
  };
  return [await once(LIMIT), await once(before)];
}

const rng = new Rng(5);
const x = rng.normal([61, 97]); // 23,668 bytes: three bindings
const wide = rng.normal([97, 40]);
const halves = rng.fork("halves").normal([700, 97]).cast("bf16"); // 135,800 bytes
const bias = rng.normal([97]);
const column = rng.normal([61, 1]);

const ids = new Rng(3).randint([3, 700], 0, 61);
const few = tensor([60, 0, 7, 60], { dtype: "i32" });
const signal = rng.normal([1, 4, 3000]);
const filter = rng.normal([4, 4, 3]);
const pictures = rng.normal([5, 3, 20, 30]);
const square = rng.normal([6, 3, 3, 3]);
const clip = rng.normal([1, 3, 5, 14, 22]);
const cube = rng.normal([4, 3, 3, 3, 3]);

const heads = (batch: number, count: number, rows: number, name: string): Tensor =>
  rng.fork(name).normal([batch, count, rows, 16]);
const [q, k, v] = [heads(2, 3, 60, "q"), heads(2, 3, 50, "k"), heads(2, 3, 50, "v")];
const qkv = rng.fork("qkv").normal([2, 40, 3 * 2 * 16]);
const [oneQ, oneK, oneV] = [heads(1, 1, 120, "one q"), heads(1, 1, 100, "one k"), heads(1, 1, 100, "one v")];
const perHead = rng.fork("masks").normal([2, 3, 60, 50]);
const mask = rng.fork("mask").normal([120, 100]);
const segments = tensor(
  Array.from({ length: 80 }, (_, i) => Math.floor(i / 17)),
  { shape: [2, 40], dtype: "i32" },
);
const logP = rng.fork("ctc").normal([30, 8, 12]);
const labels = rng.fork("labels").randint([8, 5], 1, 12);

const full = (count: number, value: number): Tensor => tensor(new Int32Array(count).fill(value));

/** Attention of heads that lie side by side in one product's result. */
function packedAttention(options: AttentionOptions): Tensor {
  const [a, b, c] = [0, 1, 2].map((i) => qkv.reshape([2, 40, 3, 2, 16]).slice(2, i, i + 1).squeeze(2).permute([0, 2, 1, 3])); // prettier-ignore
  return attention(a as Tensor, b as Tensor, c as Tensor, options);
}

const attentions: [string, () => Tensor, readonly Tensor[]][] = [
  ["of clips and heads", () => attention(q, k, v), [q, k, v]],
  ["causal", () => attention(q, k, v, { causal: true }), [q, k, v]],
  ["with a mask of each head", () => attention(q, k, v, { mask: perHead }), [q, k, v]],
  [
    "with a large mask of all heads",
    () => attention(q, k, v, { mask: mask.slice(0, 0, 60).slice(1, 0, 50) }),
    [q, k, v],
  ],
  ["of one head with a large mask", () => attention(oneQ, oneK, oneV, { mask }), [oneQ, oneK, oneV]],
  ["of heads side by side", () => packedAttention({}), [qkv]],
  ["of segments", () => packedAttention({ segments }), [qkv]],
];

const cases: [string, () => Tensor][] = [
  ...attentions.flatMap(([name, make, inputs]): [string, () => Tensor][] => [
    [`attention ${name}`, make],
    [
      `gradients of attention ${name}`,
      () => concat(grad(make().square().sum(), inputs).map((g) => g.reshape([g.size]))),
    ],
  ]),
  [
    "the losses of many sequences",
    () => ctcLoss(logSoftmax(logP), labels, full(8, 30), full(8, 5), { reduction: "none" }),
  ],
  [
    "the gradient of many sequences",
    () => grad(ctcLoss(logSoftmax(logP), labels, full(8, 30), full(8, 5)), [logP])[0] as Tensor,
  ],
  ["an elementwise chain with broadcasts", () => x.mul(2).add(bias).mul(column).silu()],
  ["a transposition", () => x.transpose().add(0)],
  ["a slice that starts anywhere", () => x.slice(0, 7).slice(1, 3).mul(2)],
  ["a reversed view", () => x.flip(0).flip(1).add(1)],
  ["padding", () => x.pad([[1, 2], [3, 0]], 5)], // prettier-ignore
  ["reductions of each axis", () => x.sum({ axis: 0 }).add(x.transpose().max({ axis: 1 }))],
  ["a sum of all", () => x.square().sum()],
  ["a join along the first axis", () => concat([x, x.mul(2), x.slice(0, 3, 50)])],
  ["a join along the last axis", () => concat([x, x.neg(), x.slice(1, 3, 50)], { axis: 1 })],
  ["random numbers", () => new Rng(9).normal([61, 100]).add(0)],
  ["halves", () => x.cast("bf16").add(1).cast("bf16")],
  ["a product of large matrices", () => x.matmul(wide)],
  ["a product with a large right side", () => x.slice(0, 0, 3).matmul(x.transpose().slice(0, 0, 97))],
  [
    "products of a batch",
    () =>
      rng
        .fork("a")
        .normal([9, 20, 30])
        .matmul(rng.fork("b").normal([9, 30, 25])),
  ],
  ["rows of a large table of halves", () => embedding(halves, ids.reshape([2100]))],
  ["a product with large halves", () => x.slice(0, 0, 3).matmul(halves.transpose())],
  ["a product of large halves", () => halves.matmul(wide)],
  ["elements of a large table", () => gather(x, 0, ids.slice(1, 0, 97))],
  ["rows of a large table", () => embedding(x, ids.reshape([2100]))],
  ["rows of several tables", () => gather(x.reshape([1, 61, 97]).expand([3, 61, 97]), 1, ids.slice(1, 0, 7).reshape([3, 7, 1]).expand([3, 7, 97]))], // prettier-ignore
  ["the gradient of few rows", () => grad(embedding(x, few).square().sum(), [x])[0] as Tensor],
  [
    "the gradient of many rows",
    () =>
      grad(
        embedding(x, ids.reshape([2100]))
          .square()
          .sum(),
        [x],
      )[0] as Tensor,
  ],
  ["a long signal convolved", () => conv1d(signal, filter, filter.sum({ axis: [1, 2] }), { padding: 1 })],
  ["with strides and dilation", () => conv1d(signal, filter, null, { stride: 2, dilation: 3, padding: 2 })],
  ["several pictures convolved", () => conv2d(pictures, square, null, { padding: 1 })],
  ["frames of a clip convolved", () => conv3d(clip, cube, null, { padding: 1, stride: [1, 2, 1] })],
  ...[0, 1].flatMap((i): [string, () => Tensor][] => [
    [`gradient ${i} of a long signal`, () => grad(conv1d(signal, filter, null, { stride: 2, padding: 2, dilation: 2 }).square().sum(), [signal, filter])[i] as Tensor], // prettier-ignore
    [`gradient ${i} of a stride beyond the kernel`, () => grad(conv1d(signal, filter.slice(2, 0, 1), null, { stride: 3 }).square().sum(), [signal, filter])[i] as Tensor], // prettier-ignore
    [`gradient ${i} of pictures`, () => grad(conv2d(pictures, square).square().sum(), [pictures, square])[i] as Tensor],
    [
      `gradient ${i} of a clip`,
      () => grad(conv3d(clip, cube, null, { padding: 1 }).square().sum(), [clip, cube])[i] as Tensor,
    ],
  ]),
  ["the order of each row", () => argsort(x)],
  ["the order of each column", () => sort(x, { axis: 0, descending: true }).values],
  ["running sums", () => cumsum(x, 1)],
  ["running products of columns", () => cumprod(x.mul(0.5), 0)],
  ["gradients of running sums", () => grad(cumsum(x, 0).square().sum(), [x])[0] as Tensor],
  ["a transposed convolution", () => convTranspose1d(signal.slice(2, 0, 900), filter, null, { stride: 2, padding: 1 })],
  ["the gradient of a layer", () => grad(x.matmul(wide).silu().square().sum(), [x])[0] as Tensor],
];

describe("tensors larger than a binding", () => {
  test.each(cases)("%s", async (_, make) => {
    await realize([x, wide, halves, bias, column, q, k, v, qkv, oneQ, oneK, oneV, perHead, mask, logP]);
    const [got, expected] = await both(make);
    expect(got.length).toBe(expected.length);
    let worst = 0;
    expected.forEach(
      (value, i) => (worst = Math.max(worst, Math.abs(value - (got[i] ?? NaN)) / (1 + Math.abs(value)))),
    );
    // sums of up to 2,100 products, of parts first
    expect(worst).toBeLessThan(3e-5);
  });

  test("are trained in place", async () => {
    const start = await new Rng(2).normal([50, 101]).data();
    const train = async (): Promise<Tensor> => {
      const weight = await tensor(start as Float32Array<ArrayBuffer>, { shape: [50, 101] }).realize();
      const optimizer = new AdamW({ weight }, { lr: 0.1, weightDecay: 0.5 });
      for (let i = 0; i < 2; i++) await realize([...optimizer.step({ weight: weight.mul(2) }), marker()]);
      await realize([weight.assign(weight.add(1)), marker()]);
      return weight;
    };
    const run = async (limit: number): Promise<number[]> => {
      traits.maxStorageBinding = limit;
      return [...(await (await train()).data())];
    };
    const got = await run(LIMIT);
    expect(got).toEqual(await run(before));
  });

  test("give a part of themselves to an update", async () => {
    const big = await tensor(Float32Array.from({ length: 6000 }, (_, i) => i)).realize();
    const part = await tensor(new Float32Array(100)).realize();
    traits.maxStorageBinding = LIMIT;
    await realize([part.assign(big.slice(0, 2048, 2148)), marker()]); // where a window may begin
    expect((await part.data())[0]).toBe(2048);
  });

  test("say so where one kernel needs more", async () => {
    traits.maxStorageBinding = LIMIT;
    const y = conv1d(rng.normal([1, 40, 30]), rng.normal([40, 40, 3]));
    const keys = rng.normal([1, 1, 600, 16]);
    await expect(attention(oneQ, keys, keys).realize()).rejects.toThrow("must fit a storage binding of 8192 bytes");
    const a = await rng.normal([100, 200]).realize();
    await expect(a.square().sum().realize()).rejects.toThrow("more than fit one dispatch; work on slices of them");
    const { pool } = await getDevice();
    const held = pool.liveBytes;
    await expect(y.realize()).rejects.toThrow("must fit a storage binding of 8192 bytes");
    expect(pool.liveBytes).toBeLessThanOrEqual(held);
  });
});
