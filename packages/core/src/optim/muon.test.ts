import { describe, expect, test } from "vitest";
import { OmniError, ShapeError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { sample } from "../testing/nd.ts";
import { AdamW } from "./adamw.ts";
import { Muon } from "./muon.ts";
import { muonWithAdamW } from "./muon-with-adamw.ts";
import { OptimizerSet } from "./optimizer-set.ts";
import { orthogonalize } from "./orthogonalize.ts";

const leaf = (shape: number[], seed: number): Tensor => tensor(Float32Array.from(sample(shape, seed).data), { shape });

/** X after k iterations of a σ + b σ³ + c σ⁵ on a matrix with orthogonal rows of norms `sigma`: each row keeps its direction. */
const iterate = (sigma: number, k: number): number =>
  k === 0 ? sigma : iterate(3.4445 * sigma - 4.775 * sigma ** 3 + 2.0315 * sigma ** 5, k - 1);

describe("orthogonalize", () => {
  test.each([
    [[4, 9], "rows"],
    [[9, 4], "columns"],
  ] as const)("brings the singular values of %j near 1", async (shape, side) => {
    const q = orthogonalize(leaf([...shape], 3), 5);
    const gram = await (side === "rows" ? q.matmul(q.transpose()) : q.transpose().matmul(q)).data();
    // σ lies in [0.68, 1.2], so σ² in [0.4, 1.5], and so do the diagonal's entries
    gram.forEach((v, i) => {
      if (i % 5 === 0) expect(v).toBeGreaterThan(0.4);
      expect(Math.abs(v)).toBeLessThan(1.5);
    });
  });

  test("moves each singular value along its polynomial and keeps its vectors", async () => {
    // rows are multiples of unit vectors: their norms are the singular values; all are first divided by the norm of the matrix, 5
    const x = tensor([
      [0, 3, 0],
      [0, 0, -4],
    ]);
    const expected = [0, iterate(0.6, 5), 0, 0, 0, -iterate(0.8, 5)];
    expect(difference(await orthogonalize(x, 5).data(), expected, { absolute: 1e-5, relative: 1e-5 })).toBeNull();
  });

  test("leaves zeros and nothing as they are", async () => {
    expect(await orthogonalize(zeros([2, 3])).data()).toEqual(new Float32Array(6));
    expect(orthogonalize(zeros([0, 3])).shape).toEqual([0, 3]);
  });
});

describe("Muon", () => {
  test("follows its definition where the singular vectors are known", async () => {
    // gradients of one diagonal form keep every momentum diagonal
    const [lr, decay, mu] = [0.1, 0.2, 0.9];
    const params = { w: tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2] }) };
    const muon = new Muon(params, { lr, weightDecay: decay, momentum: mu });
    const p = Float64Array.of(1, 2, 3, 4, 5, 6);
    let b: [number, number] = [0, 0];
    for (const g of [
      [3, 4],
      [-1, 2],
      [0.5, 0.5],
    ] as const) {
      await realize(muon.step({ w: tensor([g[0], 0, 0, g[1], 0, 0], { shape: [3, 2] }) }));
      b = [mu * b[0] + (1 - mu) * g[0], mu * b[1] + (1 - mu) * g[1]];
      const u = [mu * b[0] + (1 - mu) * g[0], mu * b[1] + (1 - mu) * g[1]] as const;
      const norm = Math.hypot(...u);
      const step = [iterate(u[0] / norm, 5), 0, 0, iterate(u[1] / norm, 5), 0, 0];
      // √(rows / columns) for a tall matrix
      p.forEach((v, i) => (p[i] = v - lr * decay * v - lr * Math.sqrt(1.5) * (step[i] ?? 0)));
    }
    // five iterations steepen an error of σ by up to 3.4 each: 3.4⁵ roundings of 6e-8, times lr
    expect(difference(await params.w.data(), p, { absolute: 1e-5, relative: 1e-5 })).toBeNull();
  });

  test("takes a convolution's weight as a matrix of its output channels", async () => {
    const [flat, conv] = [{ w: leaf([4, 6], 1) }, { w: leaf([4, 2, 3], 1) }];
    await realize(new Muon(flat, { lr: 0.1 }).step({ w: leaf([4, 6], 2) }));
    await realize(new Muon(conv, { lr: 0.1 }).step({ w: leaf([4, 2, 3], 2) }));
    expect(await conv.w.data()).toEqual(await flat.w.data());
  });

  test("scales an update as AdamW's when asked", async () => {
    const step = async (scale: "original" | "match-adamw"): Promise<number> => {
      const params = { w: zeros([4, 9]) };
      await realize(new Muon(params, { lr: 1, scale }).step({ w: leaf([4, 9], 2) }));
      return (await params.w.data())[0] ?? NaN;
    };
    // 0.2 √9 against √max(1, 4/9)
    expect((await step("match-adamw")) / (await step("original"))).toBeCloseTo(0.6, 5);
  });

  test("refuses vectors", () => {
    expect(() => new Muon({ b: zeros([3]) }, { lr: 1 })).toThrow(ShapeError);
  });
});

describe("muonWithAdamW", () => {
  test("gives hidden matrices to Muon and the rest to AdamW, and goes on from its state", async () => {
    const make = () => ({ hidden: leaf([3, 4], 1), head: leaf([2, 3], 2), bias: leaf([3], 3) });
    const [both, alone] = [make(), make()];
    const options = {
      muon: { lr: 0.02 },
      adamw: { lr: 0.003 },
      isHidden: (name: string) => name !== "head",
    };
    const optimizer = muonWithAdamW(both, options);
    const grads = (t: number) => ({ hidden: leaf([3, 4], t), head: leaf([2, 3], t + 1), bias: leaf([3], t + 2) });
    await realize(optimizer.step(grads(10), { lrScale: 0.5 }));
    const { hidden, ...rest } = grads(10);
    await realize([
      ...new Muon({ hidden: alone.hidden }, { lr: 0.01 }).step({ hidden }),
      ...new AdamW({ head: alone.head, bias: alone.bias }, { lr: 0.0015 }).step(rest),
    ]);
    for (const name of ["hidden", "head", "bias"] as const)
      expect(await both[name].data()).toEqual(await alone[name].data());

    const { step, moments } = optimizer.state();
    expect(Object.keys(moments).sort()).toEqual(["bias.m", "bias.v", "head.m", "head.v", "hidden.momentum"]);
    const saved = Object.fromEntries(
      await Promise.all(
        Object.entries(moments).map(
          async ([n, m]) => [n, { shape: m.shape, data: Float32Array.from(await m.data()) }] as const,
        ),
      ),
    );
    const copy = async (p: Tensor): Promise<Tensor> => tensor(Float32Array.from(await p.data()), { shape: p.shape });
    const again = { hidden: await copy(both.hidden), head: await copy(both.head), bias: await copy(both.bias) };
    const resumed = muonWithAdamW(again, options);
    resumed.loadState(step, saved);
    await realize(optimizer.step(grads(20)));
    await realize(resumed.step(grads(20)));
    for (const name of ["hidden", "head", "bias"] as const)
      expect(await again[name].data()).toEqual(await both[name].data());
  });

  test("refuses a parameter of two optimisers, and a gradient of none", () => {
    const adam = () => new AdamW({ b: zeros([3]) }, { lr: 1 });
    expect(() => new OptimizerSet([adam(), adam()])).toThrow(OmniError);
    expect(() => new OptimizerSet([adam()]).step({ other: zeros([3]) })).toThrow('gradient "other" must belong');
  });
});
