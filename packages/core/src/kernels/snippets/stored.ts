import { packedAccess } from "./packed-access.ts";

/** How the numbers of a matrix lie in its buffer. "int8": signed bytes, four to a word. */
export type Stored = "f32" | "f16" | "bf16" | "int8";

/** How WGSL reads a buffer of numbers as f32. */
export interface StoredReader {
  /** WGSL type of the binding's elements. */
  readonly type: string;
  /** Functions that the expressions call. */
  readonly functions: string;
  /** Expression: the vec4<f32> at an element index, a multiple of four; of a binding that is read by vectors. */
  readonly four: (at: string) => string;
  /** Expression: the f32 at an element index; of a binding that is not. */
  readonly one: (at: string) => string;
}

const INT8 = {
  four: "u32",
  functions: /* wgsl */ `
fn from_int8(w: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}
`,
  load: (four: string) => `from_int8(${four})`,
  loadOne: (word: (index: string) => string, at: string) =>
    `f32(bitcast<i32>(${word(`(${at}) >> 2u`)} << (24u - ((${at}) & 3u) * 8u)) >> 24u)`,
};

/** How the storage variable `name` is read, whole vectors at a time or element by element. */
export function storedReader(name: string, stored: Stored, vector: boolean): StoredReader {
  if (stored === "f32")
    return {
      type: vector ? "vec4<f32>" : "f32",
      functions: "",
      four: (at) => `${name}[(${at}) / 4u]`,
      one: (at) => `${name}[${at}]`,
    };
  const access = stored === "int8" ? INT8 : packedAccess[stored];
  return {
    type: vector ? access.four : "u32",
    functions: access.functions,
    four: (at) => access.load(`${name}[(${at}) / 4u]`),
    one: (at) => access.loadOne((word) => `${name}[${word}]`, at),
  };
}
