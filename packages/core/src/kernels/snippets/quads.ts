import { storedReader, type Stored } from "./stored.ts";
import { range } from "./uniforms.ts";

/**
 * How a product reads an operand: by quads, four steps of k of four neighbouring rows of A (or columns of B), as a mat4x4<f32> whose
 * column j holds step k + j. Steps past the last are zero; rows past the last are any numbers.
 */
export interface QuadReader {
  /** Along which axis neighbouring lanes read neighbouring memory. */
  readonly unit: "k" | "side";
  readonly functions: string;
  /** Statements that run once: what of the addresses follows from `side`, a multiple of four. */
  readonly prepare: (id: string, side: string) => string;
  /** Expression: the quad at step `k`, a multiple of four. */
  readonly read: (id: string, k: string) => string;
}

/** A strided matrix: variable `name`, its first element `NAME_base`, uniforms `NAME_stride`, `k` and `side` (its number of rows or columns). */
export interface MatrixText {
  readonly name: "a" | "b";
  readonly side: "m" | "n" | "rows" | "cin_group" | "cout_group";
  readonly unit: "k" | "side";
  readonly stored: Stored;
  /** Read by vectors of four along `unit`. */
  readonly vector: boolean;
  /** Quads may reach past the side, or past k. */
  readonly edgeSide: boolean;
  readonly edgeK: boolean;
}

const vector = (part: (i: number) => string): string => `vec4<f32>(${range(4).map(part).join(", ")})`;

/** A {@link QuadReader} of a matrix that lies in memory. */
export function matrixQuads(text: MatrixText): QuadReader {
  const { name, unit } = text;
  const stored = storedReader(name, text.stored, text.vector);
  const stride = `u.${name}_stride`;
  const clampSide = (at: string) => (text.edgeSide ? `min(${at}, u.${text.side} - 1u)` : `(${at})`);
  const clampK = (at: string) => (text.edgeK ? `min(${at}, u.k - 1u)` : `(${at})`);
  const row = (i: number): string => {
    const at = `base + ${clampSide(`side + ${i}u`)} * ${stride}`;
    if (!text.vector) return vector((j) => stored.one(`${at} + ${clampK(`k + ${j}u`)}`));
    return stored.four(`${at} + ${text.edgeK ? "min(k, (u.k - 1u) / 4u * 4u)" : "k"}`);
  };
  const step = (j: number): string => {
    const at = `base + ${clampK(`k + ${j}u`)} * ${stride}`;
    if (!text.vector) return vector((i) => stored.one(`${at} + ${clampSide(`side + ${i}u`)}`));
    return stored.four(`${at} + ${text.edgeSide ? `min(side, (u.${text.side} - 1u) / 4u * 4u)` : "side"}`);
  };
  const inK = (j: number, value: string) => (text.edgeK ? `select(vec4<f32>(), ${value}, k + ${j}u < u.k)` : value);
  const matrix = (column: (j: number) => string) =>
    `mat4x4<f32>(${range(4)
      .map((j) => `\n    ${column(j)}`)
      .join(",")})`;
  const turned = `transpose(${matrix(row)})`;
  const quad =
    unit === "side"
      ? `  return ${matrix((j) => inK(j, step(j)))};\n`
      : text.edgeK
        ? `  let quad = ${turned};\n  return ${matrix((j) => inK(j, `quad[${j}]`))};\n`
        : `  return ${turned};\n`;
  return {
    unit,
    functions: `fn read_${name}(base: u32, side: u32, k: u32) -> mat4x4<f32> {\n${quad}}\n`,
    prepare: (id, side) => `  let ${name}_side${id} = ${side};\n`,
    read: (id, k) => `read_${name}(${name}_base, ${name}_side${id}, ${k})`,
  };
}

/** The binding's WGSL type and the functions that its readers call. */
export const matrixStorage = ({ name, stored, vector: four }: MatrixText): { type: string; functions: string } =>
  storedReader(name, stored, four);
