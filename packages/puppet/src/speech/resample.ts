/** Samples per second of all audio in this package. */
export const sampleRate = 16000;

/**
 * Change the sample rate by a rational ratio with a polyphase filter.
 *
 * y[n] = Σ_k x[k] · h(n·from/to − k), where h is a sinc at 0.94 of the lower Nyquist rate times a Kaiser window
 * (β = 8, 16 zero crossings a side: about 80 dB of stop band).
 *
 * @param samples mono, at `from` Hz
 * @returns mono, at `to` Hz, ceil(length · to / from) samples
 */
export function resample(samples: Float32Array, from: number, to: number = sampleRate): Float32Array {
  if (from === to) return samples.slice();
  const divisor = gcd(from, to);
  const up = to / divisor;
  const down = from / divisor;
  const cutoff = 0.94 * Math.min(1, to / from);
  const half = Math.ceil(16 / cutoff);
  const taps = 2 * half;
  const filters = polyphase(up, down, cutoff, half);
  const out = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let n = 0; n < out.length; n++) {
    const position = n * down;
    const first = Math.floor(position / up) - half + 1;
    const filter = (position % up) * taps;
    let sum = 0;
    for (let k = Math.max(0, -first); k < taps && first + k < samples.length; k++)
      sum += (samples[first + k] ?? 0) * (filters[filter + k] ?? 0);
    out[n] = sum;
  }
  return out;
}

const cache = new Map<string, Float32Array>();

function polyphase(up: number, down: number, cutoff: number, half: number): Float32Array {
  const key = `${up}/${down}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const taps = 2 * half;
  const table = new Float32Array(up * taps);
  for (let phase = 0; phase < up; phase++) {
    for (let k = 0; k < taps; k++) {
      const x = phase / up + half - 1 - k;
      const edge = 1 - (x / half) ** 2;
      const sinc = x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x);
      table[phase * taps + k] = edge <= 0 ? 0 : (sinc * bessel0(8 * Math.sqrt(edge))) / bessel0(8);
    }
  }
  cache.set(key, table);
  return table;
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
