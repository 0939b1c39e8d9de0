import { describe, expect, test } from "vitest";
import { DTypeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { embedding } from "./embedding.ts";

const table = tensor(
  Float32Array.from({ length: 12 }, (_, i) => i),
  { shape: [4, 3] },
);
const ids = (...values: number[]) => tensor(values, { dtype: "i32" });

describe("embedding", () => {
  test("takes rows by id, of ids of any shape", async () => {
    const y = embedding(table, ids(3, 0, 3, 1).reshape([2, 2]));
    expect(y.shape).toEqual([2, 2, 3]);
    expect([...(await y.data())]).toEqual([9, 10, 11, 0, 1, 2, 9, 10, 11, 3, 4, 5]);
    expect(await embedding(table, ids(2).reshape([])).data()).toEqual(Float32Array.of(6, 7, 8));
  });

  test("reads zeros for ids outside of the table", async () => {
    expect(await embedding(table, ids(-1, 4, 1)).data()).toEqual(Float32Array.of(0, 0, 0, 0, 0, 0, 3, 4, 5));
  });

  test("takes views, rows of any rank, and whole numbers", async () => {
    const columns = embedding(table.transpose(), ids(2, 0));
    const cubes = embedding(table.reshape([2, 3, 2]), ids(1));
    const whole = embedding(tensor([[1], [2]], { dtype: "i32" }), ids(1, 1));
    await realize([columns, cubes, whole]);
    expect([...(await columns.data())]).toEqual([2, 5, 8, 11, 0, 3, 6, 9]);
    expect([...(await cubes.data())]).toEqual([6, 7, 8, 9, 10, 11]);
    expect(await whole.data()).toEqual(Int32Array.of(2, 2));
  });

  test("of no ids or of an empty table is empty or zero", async () => {
    expect((await embedding(table, ids()).data()).length).toBe(0);
    expect(await embedding(zeros([0, 2]), ids(0)).data()).toEqual(new Float32Array(2));
    const [dt] = grad(embedding(table, ids()), [table]);
    expect(await dt?.data()).toEqual(new Float32Array(12));
  });

  test("adds up the gradients of repeated ids, and differentiates again", async () => {
    const picked = ids(3, 0, 3, -1);
    const weights = tensor(
      Float32Array.from({ length: 12 }, (_, i) => i + 1),
      { shape: [4, 3] },
    );
    const [dt] = grad(embedding(table, picked), [table], weights);
    expect([...((await dt?.data()) ?? [])]).toEqual([4, 5, 6, 0, 0, 0, 0, 0, 0, 8, 10, 12]);
    const [first] = grad(embedding(table, picked).square().sum(), [table]);
    const [second] = grad(first?.sum() ?? zeros([]), [table]);
    // d²/dx² of a row's square, once for each time the row is taken
    expect([...((await second?.data()) ?? [])]).toEqual([2, 2, 2, 0, 0, 0, 0, 0, 0, 4, 4, 4]);
  });

  test("names what is wrong with ids", () => {
    expect(() => embedding(table, tensor([1]))).toThrow(new DTypeError("embedding: ids must be i32, got f32"));
    expect(() => embedding(tensor(1), ids(0))).toThrow("embedding: table must be [V, ...], got []");
  });
});
