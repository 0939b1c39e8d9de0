import { describe, expect, test } from "vitest";
import { embedding } from "../ops/embedding.ts";
import { softmax } from "../ops/softmax.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { Rng } from "../tensor/random.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, ROUNDING } from "../testing/allclose.ts";
import { sample, type Nd } from "../testing/nd.ts";
import { grad } from "./grad.ts";
import { recompute } from "./recompute.ts";

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
const asNd = async (t: Tensor): Promise<Nd> => ({ shape: t.shape, data: Float64Array.from(await t.data()) });
type Call = (f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]) => Tensor;
const plainly: Call = (f, inputs) => f(...inputs);

/** Values and gradients of the same model, called plainly and with `recompute`. */
async function expectSame(model: (call: Call) => { y: Tensor; wrt: readonly Tensor[] }): Promise<void> {
  const [plain, again] = [model(plainly), model(recompute)];
  const all = [plain, again].map(({ y, wrt }) => [y, ...grad(y.square().sum(), wrt)]);
  await realize(all.flat());
  const [expected = [], found = []] = all;
  expect(found).toHaveLength(expected.length);
  for (const [i, t] of found.entries()) {
    const wanted = expected[i];
    // the same numbers, but fused otherwise: a rounding or two
    if (wanted) await expectClose(t, await asNd(wanted), ROUNDING, i === 0 ? "value" : `gradient ${i - 1}`);
  }
}

describe("recompute", () => {
  const [x0, w0, b0] = [sample([3, 4], 1), sample([4, 4], 2), sample([4], 3)];

  test("gives the values and gradients of the plain call, of inputs and of captured parameters", async () => {
    await expectSame((call) => {
      const [x, w, b] = [leaf(x0), leaf(w0), leaf(b0)];
      const block = (h: Tensor): Tensor => h.matmul(w).add(b).tanh().mul(h);
      return { y: call(block, [call(block, [x])]), wrt: [x, w, b] };
    });
  });

  test("of several inputs, of one that is used twice, and of none", async () => {
    await expectSame((call) => {
      const [x, w] = [leaf(x0), leaf(w0)];
      const product = call((a = x, b = w, c = x) => a.matmul(b).mul(c).exp(), [x, w, x]);
      return { y: product.add(call(() => w.sum().sin(), [])), wrt: [x, w] };
    });
  });

  test("of a function that gives its input back, or a captured tensor", async () => {
    await expectSame((call) => {
      const [x, w] = [leaf(x0), leaf(w0)];
      return { y: call((h) => h, [x.sin()]).matmul(call(() => w, [x])), wrt: [x, w] };
    });
  });

  test("of captured tensors that are results themselves, and within itself", async () => {
    await expectSame((call) => {
      const [x, w] = [leaf(x0), leaf(w0)];
      const scaled = w.mul(2).cos();
      const inner = (h: Tensor): Tensor => call((g) => g.matmul(scaled).sigmoid(), [h]);
      return { y: call((h) => inner(inner(h)).add(h), [x]), wrt: [x, w] };
    });
  });

  test("with ids, and with random numbers, which are drawn once", async () => {
    await expectSame((call) => {
      const table = leaf(w0);
      const ids = tensor([3, 0, 3], { dtype: "i32" });
      const rng = new Rng(5);
      const drop = (h: Tensor): Tensor => h.exp().mul(rng.bernoulli(h.shape, 0.5).cast("f32"));
      return { y: call((t) => drop(softmax(embedding(t, ids))), [table]), wrt: [table] };
    });
  });

  test("can be differentiated twice", async () => {
    const x = tensor([0.3, -0.7]);
    const y = recompute((h) => h.pow(3).mul(h), [x]);
    const [first = zeros([])] = grad(y, [x]);
    const [second = zeros([])] = grad(first, [x]);
    const found = [...(await second.data())];
    // d²/dx² x⁴ = 12 x²
    [0.3, -0.7].forEach((v, i) => expect(found[i]).toBeCloseTo(12 * v * v, 5));
  });

  test("of a deep chain needs a fraction of the memory", async () => {
    const cache = planCacheOf(await getDevice());
    const DEPTH = 16;
    const SIZE = 64;
    const x = leaf(sample([SIZE, SIZE], 1));
    const w = leaf(sample([SIZE, SIZE], 2, -0.1, 0.1));
    const block = (h: Tensor): Tensor => {
      let y = h;
      for (let i = 0; i < 4; i++) y = y.matmul(w).tanh();
      return y;
    };
    const bytes: number[] = [];
    for (const call of [plainly, recompute]) {
      let y = x;
      for (let i = 0; i < DEPTH / 4; i++) y = call(block, [y]);
      // of the input: the gradients of weights are results, which plans of small tensors keep to the end
      await realize(grad(y.sum(), [x]));
      bytes.push(cache.plans.at(-1)?.slotBytes ?? NaN);
    }
    const [plain = NaN, again = NaN] = bytes;
    // one result a layer is kept by the plain chain at least
    expect(plain).toBeGreaterThanOrEqual(DEPTH * SIZE * SIZE * 4);
    // four ends of blocks and four layers of one are kept, and a few gradients, where sixteen layers were
    expect(again).toBeLessThan(0.75 * plain);
  });
});
