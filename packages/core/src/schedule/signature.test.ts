import { describe, expect, test } from "vitest";
import { topologicalOrder } from "../graph/node.ts";
import { Rng } from "../tensor/random.ts";
import { arange, tensor } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { full, realize, type Tensor } from "../tensor/tensor.ts";
import { signatureOf } from "./signature.ts";

const words = (...roots: Tensor[]): number[] => {
  const nodes = roots.map((t) => t.node);
  return [...signatureOf(topologicalOrder(nodes), nodes).words];
};
const leaf = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((n, s) => n * s, 1)), { shape });

describe("signatures", () => {
  test("are equal for graphs made alike, whatever the values", () => {
    const make = (fill: number): Tensor => {
      const x = tensor(new Float32Array(6).fill(fill), { shape: [2, 3] });
      return x
        .exp()
        .sum({ axis: 1 })
        .mul(new Rng(fill).normal([2]))
        .add(x.slice(1, 0, 1).squeeze(1));
    };
    expect(words(make(1))).toEqual(words(make(2)));
  });

  test.each<[string, () => Tensor[], () => Tensor[]]>([
    ["op", () => [leaf(4).exp()], () => [leaf(4).sin()]],
    ["shape of a leaf", () => [leaf(2, 3).exp()], () => [leaf(3, 2).exp()]],
    ["dtype of a leaf", () => [leaf(4).add(1)], () => [tensor(new Int32Array(4)).add(1)]],
    ["constant", () => [leaf(4).mul(2)], () => [leaf(4).mul(3)]],
    ["size of a constant", () => [full([4], 1)], () => [full([5], 1)]],
    ["start of a slice", () => [leaf(9).slice(0, 1, 4)], () => [leaf(9).slice(0, 2, 5)]],
    ["end of a slice", () => [leaf(9).slice(0, 1, 4)], () => [leaf(9).slice(0, 1, 5)]],
    ["step of a slice", () => [leaf(9).slice(0, 0, 8, 2)], () => [leaf(9).slice(0, 0, 4)]],
    ["order of axes", () => [leaf(2, 2, 2).permute([0, 2, 1])], () => [leaf(2, 2, 2).permute([2, 1, 0])]],
    ["shape after reshape", () => [leaf(12).reshape([3, 4])], () => [leaf(12).reshape([4, 3])]],
    ["expansion", () => [leaf(1).expand([3])], () => [leaf(1).expand([4])]],
    ["padding", () => [leaf(3).pad([[1, 0]])], () => [leaf(3).pad([[0, 1]])]],
    ["fill of padding", () => [leaf(3).pad([[1, 0]], 1)], () => [leaf(3).pad([[1, 0]], 2)]],
    ["reduced axis", () => [leaf(3, 3).sum({ axis: 0 })], () => [leaf(3, 3).sum({ axis: 1 })]],
    ["reduction", () => [leaf(3).sum()], () => [leaf(3).max()]],
    [
      "joined axis",
      () => [concat([leaf(2, 2), leaf(2, 2)], { axis: 0 })],
      () => [concat([leaf(2, 2), leaf(2, 2)], { axis: 1 })],
    ],
    ["length of a count", () => [arange(3)], () => [arange(4)]],
    ["size of a draw", () => [new Rng(1).normal([3])], () => [new Rng(1).normal([4])]],
    ["distribution of a draw", () => [new Rng(1).normal([3])], () => [new Rng(1).uniform([3])]],
    ["cast", () => [leaf(3).cast("i32")], () => [leaf(3).cast("u32")]],
    ["number of roots", () => [leaf(3).exp()], () => [leaf(3).exp(), leaf(3)]],
  ])("tell apart another %s", (_, one, other) => {
    expect(words(...one())).not.toEqual(words(...other()));
  });

  test("tell x + x from x + y, and which of two nodes is the root", () => {
    const [x, y] = [leaf(3), leaf(3)];
    expect(words(x.add(x))).not.toEqual(words(x.add(y)));
    const a = x.exp();
    const b = a.sin();
    expect(words(a, b)).not.toEqual(words(b, a));
  });

  test("tell values on the host from values on the device", async () => {
    const make = (): Tensor => leaf(100);
    const onDevice = make();
    await realize([onDevice]);
    expect(words(make().exp())).not.toEqual(words(onDevice.exp()));
  });
});
