import { describe, expect, test } from "vitest";
import { floatWord } from "../kernels/kernel.ts";
import { wgslProgram, type WgslProgram } from "./wgsl-program.ts";

// programs are written on the host alone; define-op.test.ts runs them
const SPEC: WgslProgram = {
  label: "axpy",
  inputs: [
    { name: "x", type: "f32" },
    { name: "y", type: "vec4<f32>" },
  ],
  output: { name: "z", type: "f32" },
  sizes: { n: 7 },
  numbers: { a: 1.5 },
  count: 130,
  body: "z[g] = a;",
};

describe("wgslProgram", () => {
  test("is one dispatch of workgroups of 64, inputs before the output", () => {
    const { launches, scratch } = wgslProgram(SPEC);
    expect(scratch).toEqual([]);
    expect(launches).toHaveLength(1);
    const [launch] = launches;
    expect(launch?.label).toBe("axpy");
    // ⌈130 / 64⌉
    expect(launch?.workgroups).toEqual([3, 1, 1]);
    expect(launch?.bindings).toEqual([
      { buffer: { kind: "input", index: 0 }, access: "read" },
      { buffer: { kind: "input", index: 1 }, access: "read" },
      { buffer: { kind: "output", index: 0 }, access: "read_write" },
    ]);
    expect(launch?.wgsl).toContain("@binding(1) var<storage, read> y: array<vec4<f32>>;");
  });

  test("keeps counts, sizes and numbers out of its text: they are uniform words, padded to sixteen bytes", () => {
    const [a] = wgslProgram(SPEC).launches;
    const [b] = wgslProgram({ ...SPEC, count: 9, sizes: { n: 8 }, numbers: { a: -2 } }).launches;
    expect(b?.wgsl).toBe(a?.wgsl);
    expect([...(a?.uniforms ?? [])]).toEqual([130, 7, floatWord(1.5), 0]);
    expect([...(b?.uniforms ?? [])]).toEqual([9, 8, floatWord(-2), 0]);
  });

  test("gives the body its names, and the program its functions", () => {
    const text = wgslProgram({ ...SPEC, functions: "fn f() {}" }).launches[0]?.wgsl ?? "";
    for (const part of ["let n = sizes.n;", "let a = bitcast<f32>(a_bits);", "z[g] = a;", "fn f() {}"])
      expect(text).toContain(part);
    expect(text.indexOf("let a =")).toBeLessThan(text.indexOf("z[g] = a;"));
  });
});
