import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { describeNodes, nodeLabel } from "./describe.ts";

describe("describeNodes", () => {
  test("gives each node a line, inputs before users, shared ones once", () => {
    const x = tensor([[1, 2, 3]]);
    const y = x.mul(x).add(1);
    expect(describeNodes([y.node, x.node])).toBe(
      [
        "%0 = leaf (host) f32 [1, 3]",
        "%1 = mul(%0, %0) f32 [1, 3]",
        "%2 = const 1() f32 [1, 3]",
        "%3 = add(%1, %2) f32 [1, 3]",
        "return %3, %0",
      ].join("\n"),
    );
  });

  test("writes short lists of numbers beside the op and leaves long ones out", () => {
    const x = tensor(new Int32Array(6), { shape: [1, 2, 3] });
    expect(nodeLabel(x.permute([2, 0, 1]).node)).toBe("permute 2 0 1");
    // starts, steps and lengths of three axes are nine numbers
    expect(nodeLabel(x.slice(1, 0, 1).node)).toBe("slice");
    expect(nodeLabel(zeros([2]).node)).toBe("const 0");
    expect(describeNodes([x.eq(x).node])).toContain("%1 = eq(%0, %0) bool [1, 2, 3]");
  });

  test("of nothing returns nothing", () => {
    expect(describeNodes([])).toBe("return ");
  });
});
