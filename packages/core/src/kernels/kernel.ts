import type { Choices, Tuning } from "./tuning.ts";

/** What a kernel may assume of the adapter it runs on. Choosers read this and nothing else. */
export interface DeviceTraits {
  /** A software rasteriser (lavapipe, SwiftShader): barriers and workgroup memory lose, wide register tiles win. */
  readonly software: boolean;
  /** WGSL `subgroups` may be enabled. */
  readonly subgroups: boolean;
  /** Smallest subgroup size the adapter may pick; a kernel must be right for every size up to `subgroupMaxSize`. */
  readonly subgroupMinSize: number;
  /** Largest subgroup size the adapter may pick. */
  readonly subgroupMaxSize: number;
  /** WGSL `f16` may be enabled. */
  readonly f16: boolean;
  /** Most invocations of a workgroup, in all and along x. */
  readonly maxWorkgroupSize: number;
  /** Bytes of `var<workgroup>`. */
  readonly maxWorkgroupStorage: number;
  /** Bytes of a buffer that one binding may show. */
  readonly maxStorageBinding: number;
  /** Storage buffers that one dispatch may bind, 8 to 16. Kernels that do not ask bind at most eight. */
  readonly maxStorageBuffers: number;
  /** What `autotune` found faster than the choosers' guesses, if anything was timed. */
  readonly choices?: Choices;
}

/** A buffer of a program: one of the op's inputs or outputs, or a scratch buffer that lives for the program only. */
export type BufferRef =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "scratch"; readonly index: number };

export interface Binding {
  readonly buffer: BufferRef;
  readonly access: "read" | "read_write";
}

/**
 * One dispatch. Storage bindings are @group(0) @binding(0..n-1) in the order listed; the uniform struct, if `uniforms` is not
 * empty, is @binding(n). The text of `wgsl` holds no sizes: it is the pipeline's key.
 */
export interface Launch {
  readonly label: string;
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** 32-bit words of the uniform struct (floats bit-cast). */
  readonly uniforms: Uint32Array;
  /** Each dimension at most 65,535: `splitWorkgroups` folds longer counts. */
  readonly workgroups: readonly [number, number, number];
}

/** The launches of one op, in order, with the bytes of each scratch buffer. */
export interface Program {
  readonly launches: readonly Launch[];
  readonly scratch: readonly number[];
  /** The other ways to do the same, where there are any. */
  readonly tuning?: Tuning;
}

export const input = (index: number): Binding => ({ buffer: { kind: "input", index }, access: "read" });
export const output = (index: number): Binding => ({ buffer: { kind: "output", index }, access: "read_write" });
export const scratch = (index: number, access: "read" | "read_write"): Binding => ({
  buffer: { kind: "scratch", index },
  access,
});

export const MAX_WORKGROUPS = 65535;

/** Folds a one-dimensional workgroup count into (x, y); the kernel rebuilds the index as `wid.y * num_workgroups.x + wid.x` and checks it. */
export function splitWorkgroups(count: number): [number, number, number] {
  if (count <= MAX_WORKGROUPS) return [count, 1, 1];
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y, 1];
}

const scratchFloat = new Float32Array(1);
const scratchWord = new Uint32Array(scratchFloat.buffer);

/** The 32-bit word of a float, for a uniform slot declared `f32`. */
export function floatWord(value: number): number {
  scratchFloat[0] = value;
  return scratchWord[0] ?? 0;
}
