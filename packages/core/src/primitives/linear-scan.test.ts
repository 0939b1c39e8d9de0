import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { Node } from "../graph/node.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { build, sample, type Nd } from "../testing/nd.ts";
import { linearScanOp, SCAN_BOTH, SCAN_PRODUCT, SCAN_SUM } from "./linear-scan.ts";

// factors of 0.8 on average forget what was ten steps before; each step rounds twice
const SCAN: Tolerance = { absolute: 4e-6, relative: 4e-6 };

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
const scan = (inputs: readonly Tensor[], kind: number, start: number): Tensor => {
  const [x = zeros([])] = inputs;
  return new Tensor(
    new Node(
      linearScanOp,
      inputs.map((t) => t.node),
      [kind, start],
      x.shape,
      x.dtype,
    ),
  );
};

/** h_t = a_t·h_{t−1} + b_t of each row, and the gradients of Σ w·h, by hand: db_t = w_t + a_{t+1}·db_{t+1}, da_t = db_t·h_{t−1}. */
function definition(a: Nd, b: Nd, start: number, w: Nd): { h: Nd; da: Nd; db: Nd } {
  const [rows = 0, n = 0] = a.shape;
  const none = (): Nd => build(a.shape, () => 0);
  const [h, da, db] = [none(), none(), none()];
  for (let r = 0; r < rows; r++) {
    for (let t = 0; t < n; t++) {
      const before = t === 0 ? start : (h.data[r * n + t - 1] ?? 0);
      h.data[r * n + t] = (a.data[r * n + t] ?? 0) * before + (b.data[r * n + t] ?? 0);
    }
    for (let t = n - 1; t >= 0; t--) {
      const later = t === n - 1 ? 0 : (a.data[r * n + t + 1] ?? 0) * (db.data[r * n + t + 1] ?? 0);
      db.data[r * n + t] = (w.data[r * n + t] ?? 0) + later;
      da.data[r * n + t] = (db.data[r * n + t] ?? 0) * (t === 0 ? start : (h.data[r * n + t - 1] ?? 0));
    }
  }
  return { h, da, db };
}

describe("linearScan", () => {
  // 63 steps are one stretch; 200 in one row are six, 70 in three rows two each
  test.each([
    [2, 63, false],
    [1, 200, true],
    [3, 70, true],
  ])("of %i rows of %i steps has its values and gradients", async (rows, n, cut) => {
    const [a, b, w] = [sample([rows, n], 1, 0.5, 1.05), sample([rows, n], 2), sample([rows, n], 3)];
    const one = build([rows, n], () => 1);
    const none = build([rows, n], () => 0);
    const kinds = [
      { kind: SCAN_BOTH, start: 0, inputs: [a, b], wanted: definition(a, b, 0, w) },
      { kind: SCAN_PRODUCT, start: 1, inputs: [a], wanted: definition(a, none, 1, w) },
      { kind: SCAN_SUM, start: 0, inputs: [b], wanted: definition(one, b, 0, w) },
    ];
    for (const { kind, start, inputs, wanted } of kinds) {
      const leaves = inputs.map(leaf);
      const y = scan(leaves, kind, start);
      const gradients = grad(y, leaves, leaf(w));
      await realize([y, ...gradients]);
      const labels = planCacheOf(await getDevice()).plans.at(-1)?.labels ?? [];
      expect(labels.includes("scan chain")).toBe(cut);
      await expectClose(y, wanted.h, SCAN, `kind ${kind}`);
      const expected = kind === SCAN_BOTH ? [wanted.da, wanted.db] : [kind === SCAN_PRODUCT ? wanted.da : wanted.db];
      for (const [i, g] of gradients.entries()) {
        const nd = expected[i];
        if (nd) await expectClose(g, nd, SCAN, `kind ${kind}, gradient ${i}`);
      }
    }
  });

  // 64 stretches of 33 steps on a software adapter: the last would begin behind the end
  test("leaves stretches empty that begin behind the end of a row", async () => {
    const n = 2050;
    const x = tensor(
      Int32Array.from({ length: n }, (_, i) => (i % 7) - 3),
      { shape: [1, n] },
    );
    let total = 0;
    const sums = Int32Array.from({ length: n }, (_, i) => (total += (i % 7) - 3));
    expect(await scan([x], SCAN_SUM, 0).data()).toEqual(sums);
  });

  test("multiplies whole numbers as their dtype does, past its end", async () => {
    const n = 100;
    const x = tensor(new Uint32Array(n).fill(3), { shape: [1, n] });
    let product = 1;
    const expected = Uint32Array.from({ length: n }, () => (product = Math.imul(product, 3)) >>> 0);
    expect(await scan([x], SCAN_PRODUCT, 1).data()).toEqual(expected);
  });
});
