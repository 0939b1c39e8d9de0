import type { Det } from "./types.ts";

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/**
 * Values by a formula, so that large tensors need no file: a 32-bit hash of the name and the seed, mixed with the index, whose upper 24
 * bits are spread over [lo, hi).
 */
export function detValues({ name, seed, lo, hi }: Det, size: number): Float32Array<ArrayBuffer> {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const start = (hash ^ seed) >>> 0;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let x = (start + Math.imul(i, 0x9e3779b9)) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    values[i] = lo + (hi - lo) * ((x >>> 8) * 2 ** -24);
  }
  return values;
}
