/**
 * What becomes of a kernel's results before they are stored, element by element. A kernel that takes one stores four neighbouring results at a time, each
 * once and whole.
 */
export interface Epilogue {
  /** WGSL of `finish(i: u32, value: vec4<f32>) -> vec4<f32>` for the results from element `i` on, with the bindings that it reads. */
  readonly wgsl: string;
  /** Buffers that it reads; they are bound right behind the inputs of the kernel. */
  readonly reads: number;
  /** Its words, fields of the kernel's uniforms `u`. */
  readonly fields: Readonly<Record<string, number>>;
}
