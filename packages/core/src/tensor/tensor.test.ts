import { describe, expect, test, vi } from "vitest";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { grad } from "../autograd/grad.ts";
import { arange, ones, tensor, zeros } from "./create.ts";
import { concat, stack } from "./join.ts";
import { full, realize, where, type Tensor } from "./tensor.ts";

describe("making tensors", () => {
  test("nested arrays give shape and values; a number is a scalar", async () => {
    const t = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([t.shape, t.dtype, t.size, t.ndim]).toEqual([[2, 3], "f32", 6, 2]);
    expect(await t.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect([tensor(7).shape, tensor([]).shape, tensor([[], []]).shape]).toEqual([[], [0], [2, 0]]);
    expect(await tensor([true, false]).data()).toEqual(Float32Array.of(1, 0));
    expect(await tensor([3, 0], { dtype: "bool" }).data()).toEqual(Uint32Array.of(1, 0));
  });

  test("typed arrays bring their dtype", async () => {
    expect(tensor(Int32Array.of(1, 2)).dtype).toBe("i32");
    expect(tensor(Uint32Array.of(1, 2)).dtype).toBe("u32");
    expect(tensor(Uint32Array.of(1, 0), { dtype: "bool" }).dtype).toBe("bool");
    const window = new Float32Array([0, 1, 2, 3, 4]).subarray(2, 4);
    expect(await tensor(window).mul(1).data()).toEqual(Float32Array.of(2, 3));
  });

  test("reading gives a copy: changing it changes nothing", async () => {
    const t = tensor([1, 2]);
    (await t.data())[0] = 9;
    expect(await t.data()).toEqual(Float32Array.of(1, 2));
    const y = t.mul(2);
    (await y.data())[0] = 9;
    expect(await y.data()).toEqual(Float32Array.of(2, 4));
  });

  test("full, zeros, ones and arange have every dtype", async () => {
    expect(await full([2], -3, "i32").data()).toEqual(Int32Array.of(-3, -3));
    expect(await ones([2], "bool").data()).toEqual(Uint32Array.of(1, 1));
    expect(await zeros([], "u32").data()).toEqual(Uint32Array.of(0));
    expect(await arange(5).data()).toEqual(Float32Array.of(0, 1, 2, 3, 4));
    expect(await arange(4, { dtype: "i32" }).data()).toEqual(Int32Array.of(0, 1, 2, 3));
    expect(await arange(0).data()).toEqual(new Float32Array(0));
  });

  test.each<[string, () => unknown, string]>([
    [
      "ragged rows",
      () => tensor([[1, 2], [3]]),
      "tensor: nested arrays must have equal lengths, got 1 where 2 was expected",
    ],
    ["uneven depth", () => tensor([[1], 2]), "tensor: nested arrays must have equal depth"],
    [
      "a shape that does not fit",
      () => tensor([1, 2, 3], { shape: [2, 2] }),
      "tensor: shape [2, 2] must hold 3 values",
    ],
    ["negative sizes", () => zeros([2, -1]), "full: sizes must be whole numbers of at least 0, got [2, -1]"],
    ["half an element", () => arange(1.5), "arange: sizes must be whole numbers of at least 0, got [1.5]"],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(message);
  });

  test("refuses arrays of another dtype than asked for", () => {
    expect(() => tensor(Uint32Array.of(1), { dtype: "f32" })).toThrow(
      new DTypeError("tensor: values of dtype f32 must come in their own typed array, got a u32 one"),
    );
    expect(() => tensor(new Float64Array(2) as unknown as Float32Array<ArrayBuffer>)).toThrow(
      "tensor: values must be a Float32Array, Int32Array, Uint32Array or Uint8Array, got Float64Array",
    );
  });
});

describe("where", () => {
  test("chooses by a condition that broadcasts, with numbers on either side", async () => {
    const c = tensor([1, 0, 1], { dtype: "bool" });
    const rows = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(await where(c, rows, -1).data()).toEqual(Float32Array.of(1, -1, 3, 4, -1, 6));
    expect(await where(c, 0, rows).data()).toEqual(Float32Array.of(0, 2, 0, 0, 5, 0));
    expect(await where(c, 1, 2).data()).toEqual(Float32Array.of(1, 2, 1));
    expect(await rows.where(rows.gt(3), 0).data()).toEqual(Float32Array.of(0, 0, 0, 4, 5, 6));
  });

  test("sends the gradient to the side that was chosen, infinities of the other side stay out", async () => {
    const c = tensor([1, 0, 1, 0], { dtype: "bool" });
    const [a, b] = [tensor([1, 2, 3, 4]), tensor([5, 6, 7, 8])];
    const [da, db] = grad(where(c, a, b), [a, b], tensor([1, Infinity, 3, 4]));
    expect(await da?.data()).toEqual(Float32Array.of(1, 0, 3, 0));
    expect(await db?.data()).toEqual(Float32Array.of(0, Infinity, 0, 4));
  });
});

describe("item", () => {
  test("reads the one element, of any shape and dtype", async () => {
    expect(await tensor([[2.5]]).item()).toBe(2.5);
    expect(await tensor([1, 2]).sum().item()).toBe(3);
    expect(await tensor([3], { dtype: "i32" }).item()).toBe(3);
  });

  test("refuses several", async () => {
    await expect(tensor([1, 2]).item()).rejects.toThrow("item: tensor must hold one element, got shape [2]");
  });
});

test("tensors of no elements pass through everything", async () => {
  const e = zeros([2, 0, 3]).add(tensor(Float32Array.of(1)));
  const results = [
    e.exp().mul(2),
    e.permute([2, 0, 1]),
    e.reshape([0, 7]),
    e.slice(0, 1),
    e.flip(2),
    concat([e, e], { axis: 2 }),
    stack([e, e]),
    e.matmul(zeros([2, 3, 4]).add(tensor(1))),
    where(e.gt(0), e, 1),
    e.max({ axis: 2 }),
    e.repeat(2, 0),
  ];
  await realize(results);
  for (const y of results) expect((await y.data()).length).toBe(y.size);
  expect(results.map((y) => y.size)).toEqual(results.map(() => 0));
  expect(await e.sum().item()).toBe(0);
  expect(await e.sum({ axis: 1 }).data()).toEqual(new Float32Array(6));
  expect(await e.mean().item()).toBeNaN();
  expect(
    await e
      .pad(
        [
          [0, 0],
          [1, 0],
          [0, 0],
        ],
        5,
      )
      .data(),
  ).toEqual(new Float32Array(6).fill(5));
  expect(await concat([e, ones([2, 1, 3])], { axis: 1 }).data()).toEqual(new Float32Array(6).fill(1));
  expect(
    await tensor(1)
      .add(zeros([0]))
      .data(),
  ).toEqual(new Float32Array(0));
});

describe("showing tensors", () => {
  test("toString says what it is and where its values come from", async () => {
    const x = tensor([1, 2]);
    const y = x.exp();
    expect([String(x), String(y)]).toEqual(["Tensor(f32 [2], on the host)", "Tensor(f32 [2], lazy exp)"]);
    await y.realize();
    expect(String(y)).toBe("Tensor(f32 [2], on the device)");
    expect(String(zeros([], "bool"))).toBe("Tensor(bool [], lazy const)");
  });

  test("print logs a title, the description and the values, and gives the tensor back", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    try {
      const y = tensor([[1, 2]]).add(1);
      expect(await y.print("y")).toBe(y);
      await tensor([0.5]).print();
      expect(log.mock.calls).toEqual([
        ["y Tensor(f32 [1, 2], lazy add)\n[[2, 3]]"],
        ["Tensor(f32 [1], on the host)\n[0.5000]"],
      ]);
    } finally {
      log.mockRestore();
    }
  });

  test("Node's console shows the values of the host's tensors alone: it cannot wait for others", () => {
    const shown = (t: Tensor): unknown => {
      const show: unknown = Reflect.get(t, Symbol.for("nodejs.util.inspect.custom"));
      return typeof show === "function" ? show.call(t) : null;
    };
    const x = tensor([1, 2], { dtype: "i32" });
    expect(shown(x)).toBe("Tensor(i32 [2], on the host) [1, 2]");
    expect(shown(x.neg())).toBe("Tensor(i32 [2], lazy neg)");
  });
});
