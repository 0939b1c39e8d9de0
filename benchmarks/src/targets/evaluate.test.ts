import { describe, expect, test } from "vitest";
import { catalog } from "../ops/catalog.ts";
import { record, timed } from "../record/record.fixture.ts";
import { evaluate } from "./evaluate.ts";
import { targets } from "./table.ts";
import type { Rule } from "./target.ts";

/** The verdict on one rule for matmul-512 on lavapipe. */
function verdict(rule: Rule, changes: Parameters<typeof record>[0] = {}) {
  const target = { title: "products", adapters: ["lavapipe"] as const, ops: ["matmul-512"], rules: [rule] };
  const [found] = evaluate([target], [record(changes)], (op) => op);
  return found;
}

describe("evaluate", () => {
  test("says what is met", () => {
    const found = verdict({ kind: "times faster", than: "tfjs", atLeast: 4 });
    // 50 ms against 10
    expect(found).toMatchObject({ status: "met", got: "5.00×", asked: "≥ 4× tfjs-webgpu", by: "" });
  });

  test("says by how much a target is missed", () => {
    const found = verdict({ kind: "times faster", than: "jax", atLeast: 4 });
    // 3× where 4× is asked
    expect(found).toMatchObject({ status: "missed", got: "3.00×", by: "25 % short" });
  });

  test("takes the fastest right peer for the best one", () => {
    const wrongOrt = [
      timed("ours", 10),
      timed("tfjs", 50),
      { id: "ort", version: "", status: "wrong", cold: 1, error: 1 } as const,
    ];
    expect(verdict({ kind: "times faster", than: "best peer", atLeast: 2 })).toMatchObject({ got: "2.50×" });
    expect(verdict({ kind: "times faster", than: "best peer", atLeast: 2 }, { contenders: wrongOrt })).toMatchObject({
      got: "5.00×",
    });
  });

  test("never counts a wrong or missing peer as beaten", () => {
    const contenders = [timed("ours", 10), { id: "ort", version: "", status: "wrong", cold: 1, error: 1 } as const];
    const rule = { kind: "times faster", than: "ort", atLeast: 2 } as const;
    expect(verdict(rule, { contenders })).toMatchObject({ status: "not measured", got: "its answer is wrong" });
  });

  test("holds rates against the ceilings of the same rounds", () => {
    // 26.8 GFLOP/s of 100
    expect(verdict({ kind: "share of", ceiling: "fma", atLeast: 0.2 })).toMatchObject({ status: "met", got: "27 %" });
    expect(verdict({ kind: "share of", ceiling: "copy", atLeast: 0.8 })).toMatchObject({ status: "not measured" });
    // 40 MB in 10 ms are 4 GB/s of 8
    const bytes = { flops: null, bytes: 4e7 };
    expect(verdict({ kind: "share of", ceiling: "copy", atLeast: 0.8 }, bytes)).toMatchObject({ got: "50 %" });
  });

  test("compares with raw kernels that take 5 ms or more only", () => {
    const rule = { kind: "share of raw", atLeast: 0.9 } as const;
    expect(verdict(rule)).toMatchObject({ status: "met", got: "90 %" });
    const short = [timed("ours", 2), timed("raw", 1)];
    expect(verdict(rule, { contenders: short })).toMatchObject({ status: "not measured" });
  });

  test("takes the forward pass off the gradient", () => {
    const contenders = [timed("ours", 40), timed("forward", 10)];
    const found = verdict({ kind: "backward", atMost: 3 }, { contenders });
    expect(found).toMatchObject({ status: "met", got: "3.00×" });
  });

  test("counts and first calls must not pass their bound", () => {
    expect(verdict({ kind: "at most", what: "buffers", count: 0 })).toMatchObject({ status: "met" });
    expect(verdict({ kind: "time", atMost: 20 })).toMatchObject({ status: "met", got: "10.00 ms" });
    expect(verdict({ kind: "cold", atMost: 50 })).toMatchObject({ status: "missed", by: "100 % over" });
  });

  test("leaves out adapters that a target is not for, and ops not measured", () => {
    const target = { title: "", adapters: ["gpu"] as const, ops: ["matmul-512", "softmax"], rules: [] };
    expect(evaluate([target], [record()], (op) => op)).toEqual([]);
  });
});

describe("targets", () => {
  test("name ops of the catalog", () => {
    const known = new Set(catalog.map(({ id }) => id));
    expect(targets.flatMap(({ ops }) => ops).filter((op) => !known.has(op))).toEqual([]);
  });
});
