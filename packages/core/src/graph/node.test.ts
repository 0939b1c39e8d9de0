import { describe, expect, test } from "vitest";
import { elementwise } from "../primitives/elementwise.ts";
import { Node, topologicalOrder } from "./node.ts";

const leaf = (): Node => new Node(null, [], [], [1], "f32", { kind: "host", array: new Float32Array(1) });
const add = (a: Node, b: Node): Node => new Node(elementwise.add, [a, b], [], [1], "f32");

describe("topologicalOrder", () => {
  test("lists inputs before users, each node once, with its index", () => {
    const [a, b] = [leaf(), leaf()];
    const c = add(a, b);
    const d = add(c, a);
    const order = topologicalOrder([d, c]);
    expect(order).toEqual([a, b, c, d]);
    expect(order.map((n) => n.index)).toEqual([0, 1, 2, 3]);
  });

  test("takes chains that recursion could not", () => {
    let node = leaf();
    for (let i = 0; i < 50_000; i++) node = add(node, node);
    expect(topologicalOrder([node])).toHaveLength(50_001);
  });
});

test("a node that becomes a leaf lets go of its recipe", () => {
  const node = add(leaf(), leaf());
  node.become({ kind: "host", array: new Float32Array(1) });
  expect([node.op, node.inputs, node.attrs]).toEqual([null, [], []]);
});
