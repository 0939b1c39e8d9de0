import type { PackedDType } from "../../base/dtype.ts";

/** How WGSL reads and writes a packed type: by four elements, or one of them. */
export interface PackedAccess {
  /** WGSL type of what holds four elements. */
  readonly four: string;
  /** The functions that `load` and `store` call. */
  readonly functions: string;
  /** Expression: four elements of a `four`. */
  readonly load: (four: string) => string;
  /** Expression: element `at` of an array, given what reads one of its words. */
  readonly loadOne: (word: (index: string) => string, at: string) => string;
  /** Expression: the `four` of four elements, which the type must have. */
  readonly store: (elements: string) => string;
}

const halves = (name: string, functions: string): PackedAccess => ({
  four: "vec2<u32>",
  functions,
  load: (four) => `from_${name}(${four})`,
  loadOne: (word, at) => `from_${name}(vec2<u32>(${word(`(${at}) >> 1u`)} >> (((${at}) & 1u) * 16u), 0u)).x`,
  store: (elements) => `as_${name}(${elements})`,
});

export const packedAccess: Readonly<Record<PackedDType, PackedAccess>> = {
  f16: halves(
    "f16",
    /* wgsl */ `
fn from_f16(w: vec2<u32>) -> vec4<f32> {
  let h = vec4<u32>(w.x & 0xffffu, w.x >> 16u, w.y & 0xffffu, w.y >> 16u);
  let magnitude = (h & vec4<u32>(0x7fffu)) << vec4<u32>(13u);
  // below 2^-14 the spacing is 2^-24
  let small = bitcast<vec4<u32>>(vec4<f32>(h & vec4<u32>(0x3ffu)) * 5.9604645e-8);
  let normal = magnitude + select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), magnitude >= vec4<u32>(0x0f800000u));
  let bits = select(normal, small, magnitude < vec4<u32>(0x800000u));
  return bitcast<vec4<f32>>(bits | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_f16(x: vec4<f32>) -> vec2<u32> {
  let bits = bitcast<vec4<u32>>(x);
  let magnitude = bits & vec4<u32>(0x7fffffffu);
  let small = vec4<u32>(abs(x) * 16777216.0);
  let normal = (magnitude - vec4<u32>(0x38000000u)) >> vec4<u32>(13u);
  let limit = select(vec4<u32>(0x7c00u), vec4<u32>(0x7e00u), magnitude > vec4<u32>(0x7f800000u));
  let finite = select(normal, small, magnitude < vec4<u32>(0x38800000u));
  let h = select(finite, limit, magnitude >= vec4<u32>(0x7f800000u)) | ((bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
  return vec2<u32>(h.x | (h.y << 16u), h.z | (h.w << 16u));
}
`,
  ),
  bf16: halves(
    "bf16",
    /* wgsl */ `
fn from_bf16(w: vec2<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
}
fn as_bf16(x: vec4<f32>) -> vec2<u32> {
  let h = bitcast<vec4<u32>>(x) >> vec4<u32>(16u);
  return vec2<u32>(h.x | (h.y << 16u), h.z | (h.w << 16u));
}
`,
  ),
  u8: {
    four: "u32",
    functions: /* wgsl */ `
fn from_u8(w: u32) -> vec4<u32> {
  return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}
fn as_u8(x: vec4<u32>) -> u32 {
  return x.x | (x.y << 8u) | (x.z << 16u) | (x.w << 24u);
}
`,
    load: (four) => `from_u8(${four})`,
    loadOne: (word, at) => `((${word(`(${at}) >> 2u`)} >> (((${at}) & 3u) * 8u)) & 0xffu)`,
    store: (elements) => `as_u8(${elements})`,
  },
};
