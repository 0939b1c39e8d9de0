/** Deterministic noise in [-amplitude, amplitude]. */
export function noise(length: number, seed: number, amplitude = 0.5): Float32Array {
  const out = new Float32Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    // xorshift32, Marsaglia 2003
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = (amplitude * state) / 0x8000_0000;
  }
  return out;
}

/** Noise without its upper half of the spectrum: what lossy coders keep. */
export function softNoise(length: number, seed: number): Float32Array {
  const white = noise(length + 8, seed);
  return Float32Array.from({ length }, (_, i) => white.subarray(i, i + 8).reduce((sum, x) => sum + x, 0) / 4);
}

/** a sin(2π f t). */
export function tone(length: number, frequency: number, sampleRate: number, amplitude = 0.5): Float32Array {
  return Float32Array.from({ length }, (_, i) => amplitude * Math.sin((2 * Math.PI * frequency * i) / sampleRate));
}

/** Silence with bursts of 10 ms at the given seconds. */
export function clicks(seconds: number, sampleRate: number, at: readonly number[]): Float32Array {
  const out = new Float32Array(Math.round(seconds * sampleRate));
  for (const time of at)
    out.set(tone(Math.round(0.01 * sampleRate), 1500, sampleRate, 0.9), Math.round(time * sampleRate));
  return out;
}

/** Seconds at which sound rises above 0.3 after at least 0.2 s below. */
export function findClicks(samples: Float32Array, sampleRate: number): number[] {
  const found: number[] = [];
  let last = -Infinity;
  for (const [i, sample] of samples.entries()) {
    if (Math.abs(sample) < 0.3) continue;
    if (i - last > 0.2 * sampleRate) found.push(i / sampleRate);
    last = i;
  }
  return found;
}

/** 20 log10 of signal against error, dB; `skip` samples at both ends do not count. */
export function signalToError(actual: Float32Array, expected: Float32Array, skip = 0): number {
  let signal = 0;
  let error = 0;
  for (let i = skip; i < expected.length - skip; i++) {
    signal += (expected[i] ?? 0) ** 2;
    error += ((actual[i] ?? 0) - (expected[i] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

/** The shift in samples at which `actual` is most like `expected` (positive: it comes too late). */
export function findLag(actual: Float32Array, expected: Float32Array, range: number): number {
  const from = range;
  const to = Math.min(from + 4096, expected.length - range);
  let best = -Infinity;
  let lag = 0;
  for (let shift = -range; shift <= range; shift++) {
    let sum = 0;
    for (let i = from; i < to; i++) sum += (expected[i] ?? 0) * (actual[i + shift] ?? 0);
    if (sum > best) [best, lag] = [sum, shift];
  }
  return lag;
}
