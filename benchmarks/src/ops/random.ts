/** Numbers of unit variance, uniform in ±√3, the same for a seed on every runtime. */
export function uniform(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  const random = mulberry32(seed);
  const factor = 2 * Math.sqrt(3) * scale;
  for (let i = 0; i < length; i++) values[i] = (random() - 0.5) * factor;
  return values;
}

/** Uniform numbers in [0, 1). @see Tommy Ettinger's mulberry32, public domain */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
