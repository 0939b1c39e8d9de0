import { describe, expect, test } from "vitest";
import type { Program } from "./kernel.ts";
import { matmulProgram, type MatmulSpec } from "./matmul.ts";
import { SOFTWARE_TRAITS } from "./traits.fixture.ts";
import { type Candidate, choiceOf, distinct, keyOf, tuned } from "./tuning.ts";

const programOf = (wgsl: string): Program => ({
  launches: [{ label: wgsl, wgsl, bindings: [], uniforms: new Uint32Array(0), workgroups: [1, 1, 1] }],
  scratch: [],
});
const candidate = (name: string, wgsl = name): Candidate => ({ name, program: () => programOf(wgsl) });
const [slow, fast] = [candidate("slow"), candidate("fast")];
const labelOf = (program: Program): string | undefined => program.launches[0]?.label;

describe("tuned", () => {
  test("without choices, or with none for the kernel, the first candidate runs", () => {
    expect(labelOf(tuned("k", [slow, fast], SOFTWARE_TRAITS))).toBe("slow");
    const choices = new Map([["other", choiceOf(slow, fast)]]);
    expect(labelOf(tuned("k", [slow, fast], { ...SOFTWARE_TRAITS, choices }))).toBe("slow");
  });

  test("a choice runs while its kernels are what was timed", () => {
    const choices = new Map([["k", choiceOf(slow, fast)]]);
    const traits = { ...SOFTWARE_TRAITS, choices };
    expect(labelOf(tuned("k", [slow, fast], traits))).toBe("fast");
    expect(labelOf(tuned("k", [slow, candidate("fast", "another text")], traits))).toBe("slow");
    expect(labelOf(tuned("k", [candidate("slow", "another text"), fast], traits))).toBe("another text");
    expect(labelOf(tuned("k", [slow], traits))).toBe("slow");
  });

  test("tells what else could run, unless nothing could", () => {
    expect(tuned("k", [slow, fast], SOFTWARE_TRAITS).tuning?.candidates).toEqual([slow, fast]);
    expect(tuned("k", [slow], SOFTWARE_TRAITS).tuning).toBeUndefined();
  });
});

test("keyOf tells kernels and sizes apart, but of offsets their alignment only", () => {
  const spec = { m: 4, a: { offset: 8 } };
  expect(keyOf("matmul", spec)).toBe(keyOf("matmul", { m: 4, a: { offset: 16 } }));
  expect(keyOf("matmul", spec)).not.toBe(keyOf("matmul", { m: 4, a: { offset: 9 } }));
  expect(keyOf("matmul", spec)).not.toBe(keyOf("matmul", { m: 8, a: { offset: 8 } }));
  expect(keyOf("matmul", spec)).not.toBe(keyOf("conv", spec));
});

test("distinct keeps the first of each name, in order", () => {
  const again = candidate("slow", "again");
  expect(distinct([slow, fast, again])).toEqual([slow, fast]);
});

test("a product's choices are tiles and parts, each of a name of its own", () => {
  const operand = { offset: 0, batchStrides: [0, 0] as const, rowStride: 4096, colStride: 1 };
  const spec: MatmulSpec = { m: 16, n: 16, k: 4096, batch: [1, 1], a: operand, b: { ...operand, rowStride: 16 } };
  const traits = { ...SOFTWARE_TRAITS, subgroups: true, subgroupMinSize: 8, subgroupMaxSize: 8 };
  const names = matmulProgram(spec, traits).tuning?.candidates.map(({ name }) => name) ?? [];
  expect(new Set(names).size).toBe(names.length);
  // eight parts, and rows of 8 as for all products this small
  expect(names).toEqual([
    "8x8x1/8",
    "8x16x1/8",
    "8x16x2/8",
    "8x8x2/8",
    "8x4x1/8",
    "8x4x2/8",
    "8x8x1/1",
    "8x8x1/4",
    "8x8x1/16",
  ]);
});
