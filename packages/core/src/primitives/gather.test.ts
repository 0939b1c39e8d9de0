import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { Node } from "../graph/node.ts";
import { philox4x32 } from "../random/philox.ts";
import { getDevice } from "../runtime/index.ts";
import { planCacheOf } from "../schedule/realize.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, Tensor } from "../tensor/tensor.ts";
import { expectClose, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { at, build, sample, sum, type Nd } from "../testing/nd.ts";
import { gatherOp, lastWriterOp, scatterAddOp } from "./gather.ts";

// sums of about fifty numbers below 1
const SUMS: Tolerance = { absolute: 1e-5, relative: 1e-5 };

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });
/** Ids from −2 to rows + 1: some lie outside on either side. */
const someIds = (outer: number, m: number, rows: number): Nd =>
  build([outer, m], ([o = 0, i = 0]) => (philox4x32([o * m + i, 0, 0, 0], [3, 4])[0] % (rows + 4)) - 2);
const whole = ({ shape, data }: Nd): Tensor => tensor(Int32Array.from(data), { shape });

const gather = (table: Tensor, ids: Tensor): Tensor =>
  new Tensor(new Node(gatherOp, [table.node, ids.node], [], [...ids.shape, table.shape[2] ?? 0], table.dtype));
const scatterAdd = (dy: Tensor, ids: Tensor, rows: number): Tensor =>
  new Tensor(new Node(scatterAddOp, [dy.node, ids.node], [rows], [dy.shape[0] ?? 0, rows, dy.shape[2] ?? 0], "f32"));

const OUTER = 2;
const ROWS = 9;
const WIDTH = 3;
/** Σ of dy over the ids of each row. */
const added = (dy: Nd, ids: Nd, rows: number): Nd =>
  build([dy.shape[0] ?? 0, rows, dy.shape[2] ?? 0], ([o = 0, r = 0, c = 0]) =>
    sum(ids.shape[1] ?? 0, (i) => (at(ids, [o, i]) === r ? at(dy, [o, i, c]) : 0)),
  );

describe("gather", () => {
  test("reads rows of each table by its own ids, zeros outside", async () => {
    const [table, ids] = [sample([OUTER, ROWS, WIDTH], 1), someIds(OUTER, 20, ROWS)];
    const expected = build([OUTER, 20, WIDTH], ([o = 0, i = 0, c = 0]) => {
      const id = at(ids, [o, i]);
      return id >= 0 && id < ROWS ? at(table, [o, id, c]) : 0;
    });
    await expectClose(gather(leaf(table), whole(ids)), expected, { absolute: 0, relative: 0 });
  });

  // 256 ids are the most that each row looks at one by one
  test.each([
    [256, "scatterAdd"],
    [257, "scatterAdd sorted"],
    [600, "scatterAdd sorted"],
  ] as const)("has the gradient of its definition for %i ids, by %s", async (m, label) => {
    const table = leaf(sample([OUTER, ROWS, WIDTH], 1));
    const [dy, ids] = [sample([OUTER, m, WIDTH], 2), someIds(OUTER, m, ROWS)];
    const [dt = zeros([])] = grad(gather(table, whole(ids)), [table], leaf(dy));
    await expectClose(dt, added(dy, ids, ROWS), SUMS);
    expect(planCacheOf(await getDevice()).plans.at(-1)?.labels).toContain(label);
  });

  test("with sorted ids adds in the same order as without: not a bit differs", async () => {
    const table = leaf(sample([OUTER, ROWS, WIDTH], 1));
    const [dy, ids] = [leaf(sample([OUTER, 600, WIDTH], 2)), whole(someIds(OUTER, 600, ROWS))];
    const [sorted = zeros([])] = grad(gather(table, ids), [table], dy);
    const plain = scatterAdd(dy, ids, ROWS);
    await realize([sorted, plain]);
    expect(await sorted.data()).toEqual(await plain.data());
  });
});

describe("scatterAdd", () => {
  test("is the transpose of gather, and gather its gradient", async () => {
    const [dy, ids] = [sample([OUTER, 20, WIDTH], 5), someIds(OUTER, 20, ROWS)];
    const t = leaf(dy);
    const y = scatterAdd(t, whole(ids), ROWS);
    const seed = sample([OUTER, ROWS, WIDTH], 6);
    const [dt = zeros([])] = grad(y, [t], leaf(seed));
    await realize([y, dt]);
    await expectClose(y, added(dy, ids, ROWS), ROUNDING);
    const read = build([OUTER, 20, WIDTH], ([o = 0, i = 0, c = 0]) => {
      const id = at(ids, [o, i]);
      return id >= 0 && id < ROWS ? at(seed, [o, id, c]) : 0;
    });
    await expectClose(dt, read, { absolute: 0, relative: 0 });
  });

  test("of no ids is zero, over no rows empty", async () => {
    const none = zeros([1, 0, 2]).add(tensor(0));
    expect(await scatterAdd(none, tensor(new Int32Array(0), { shape: [1, 0] }), 3).data()).toEqual(new Float32Array(6));
    const ids = tensor([[0, 1]], { dtype: "i32" });
    expect((await scatterAdd(leaf(sample([1, 2, 2], 1)), ids, 0).data()).length).toBe(0);
  });
});

test("lastWriter gives the last id of each row, −1 where there is none", async () => {
  const ids = tensor(
    [
      [1, 3, 1, 9],
      [-1, 0, 0, 2],
    ],
    { dtype: "i32" },
  );
  const y = new Tensor(new Node(lastWriterOp, [ids.node], [4], [2, 4], "i32"));
  expect([...(await y.data())]).toEqual([-1, 2, -1, 1, 2, -1, 3, -1]);
});
