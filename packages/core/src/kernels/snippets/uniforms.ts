/** A uniform struct and its words, declared together so that names and values cannot drift apart. */
export interface UniformBlock {
  /** WGSL: the struct and, at `binding`, the variable `u`. */
  readonly declare: (binding: number) => string;
  readonly words: Uint32Array;
}

/** Builds the uniform block of a launch from u32 fields in order; a value past 2^32 wraps, so callers keep indices below it. */
export function uniformBlock(fields: Readonly<Record<string, number>>): UniformBlock {
  const names = Object.keys(fields);
  return {
    declare: (binding) =>
      `struct Uniforms {\n${names.map((name) => `  ${name}: u32,`).join("\n")}\n}\n` +
      `@group(0) @binding(${binding}) var<uniform> u: Uniforms;\n`,
    words: Uint32Array.from(Object.values(fields)),
  };
}

/** A storage binding of elements of a WGSL type. */
export const binding = (at: number, name: string, access: "read" | "read_write", type: string): string =>
  `@group(0) @binding(${at}) var<storage, ${access}> ${name}: array<${type}>;\n`;

/** A storage binding holding vectors of four floats, or single floats where rows are not aligned to four. */
export function storage(at: number, name: string, access: "read" | "read_write", vector: boolean): string {
  return binding(at, name, access, vector ? "vec4<f32>" : "f32");
}

/** The integers 0..count-1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The components of a vec4, in order. */
export const XYZW = ["x", "y", "z", "w"] as const;
