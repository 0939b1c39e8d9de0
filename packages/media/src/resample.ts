/** Zero crossings of the sinc on each side, at the lower of the two rates. */
const zeroCrossings = 64;
/** Kaiser's β for 100 dB of stop band: 0.1102 (A - 8.7). */
const beta = 10.06;
/** The band edge that keeps the transition below the lower Nyquist frequency: no alias is let in. */
const cutoff = 0.95;

/**
 * Resamples a stream of one channel by a rational factor with a polyphase Kaiser-windowed sinc.
 *
 * y[k] = Σ_i x[i] h(i - k M / L),   h(t) = c sinc(c t) kaiser(t), each phase scaled to a sum of 1
 *
 * Linear phase and no delay: output k lies at input time k M / L; outside the input there is silence. Flat within
 * 0.01 dB up to 0.89 of the lower Nyquist frequency, stop band below -90 dB.
 *
 * @see Kaiser and Schafer 1980, "On the use of the I0-sinh window for spectrum analysis"
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #half: number;
  readonly #phases = new Map<number, Float64Array>();
  readonly #scale: number;
  #buffer: Float32Array;
  /** Input position of `#buffer[0]`. */
  #origin: number;
  #received = 0;
  #produced = 0;

  /**
   * @param from input rate, Hz, whole
   * @param to output rate, Hz, whole
   */
  constructor(from: number, to: number) {
    const divisor = gcd(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    this.#scale = cutoff * Math.min(1, to / from);
    this.#half = Math.ceil(zeroCrossings / Math.min(1, to / from));
    this.#origin = -this.#half;
    this.#buffer = new Float32Array(this.#half);
  }

  /** Takes input, returns the output that it completes. */
  push(input: Float32Array): Float32Array {
    if (this.#up === this.#down) return input;
    this.#received += input.length;
    return this.#run(input, Math.ceil(((this.#received - this.#half) * this.#up) / this.#down));
  }

  /** Ends the stream: returns the rest, so that ⌈n L / M⌉ samples have come out for n that went in. */
  flush(): Float32Array {
    if (this.#up === this.#down) return new Float32Array();
    const end = Math.ceil((this.#received * this.#up) / this.#down);
    return this.#run(new Float32Array(this.#half + 1), end);
  }

  /** Appends input and computes outputs up to `end`. */
  #run(input: Float32Array, end: number): Float32Array {
    const buffer = new Float32Array(this.#buffer.length + input.length);
    buffer.set(this.#buffer);
    buffer.set(input, this.#buffer.length);
    const out = new Float32Array(Math.max(0, end - this.#produced));
    const taps = 2 * this.#half;
    for (let k = 0; k < out.length; k++) {
      const position = (this.#produced + k) * this.#down;
      const whole = Math.floor(position / this.#up);
      const weights = this.#phase(position - whole * this.#up);
      const first = whole - this.#half + 1 - this.#origin;
      let sum = 0;
      for (let t = 0; t < taps; t++) sum += (weights[t] ?? 0) * (buffer[first + t] ?? 0);
      out[k] = sum;
    }
    this.#produced += out.length;
    const next = Math.floor((this.#produced * this.#down) / this.#up) - this.#half + 1;
    const drop = Math.min(buffer.length, Math.max(0, next - this.#origin));
    this.#buffer = buffer.slice(drop);
    this.#origin += drop;
    return out;
  }

  /** Weights of the 2·half inputs around an output that lies phase / L after an input. */
  #phase(phase: number): Float64Array {
    const known = this.#phases.get(phase);
    if (known !== undefined) return known;
    const weights = new Float64Array(2 * this.#half);
    let sum = 0;
    for (let t = 0; t < weights.length; t++) {
      const distance = t - this.#half + 1 - phase / this.#up;
      const weight = sinc(this.#scale * distance) * kaiser(distance / this.#half);
      weights[t] = weight;
      sum += weight;
    }
    for (let t = 0; t < weights.length; t++) weights[t] = (weights[t] ?? 0) / sum;
    this.#phases.set(phase, weights);
    return weights;
  }
}

/**
 * Resamples one whole channel: see {@link Resampler}.
 *
 * @returns ⌈n to / from⌉ samples
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  return joinSamples([resampler.push(samples), resampler.flush()]);
}

/** One array of all pieces in order. */
export function joinSamples(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) / besselI0(beta);
}

/** Modified Bessel function of the first kind, order 0, by its series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
