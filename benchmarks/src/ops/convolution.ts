import { at, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

/** [1, channels, ...size] with weights [out, channels, kernel, …], stride 1, the size kept by zeros around. */
export interface ConvolutionSpec {
  readonly channels: number;
  readonly out: number;
  /** Of one, two or three axes; the first of three is time. */
  readonly size: readonly number[];
  /** Odd. */
  readonly kernel: number;
  /** All zeros of the first axis stand before it: no output sees a later input. */
  readonly causal: boolean;
}

export interface ConvolutionInputs {
  readonly x: Floats;
  readonly weight: Floats;
}

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Zeros before and after each axis. */
export const paddingOf = ({ size, kernel, causal }: ConvolutionSpec): [number, number][] =>
  size.map((_, axis) => {
    const half = (kernel - 1) / 2;
    return causal && axis === 0 ? [2 * half, 0] : [half, half];
  });

/** Coordinates of a row-major index. */
function coordinates(index: number, shape: readonly number[]): number[] {
  const found: number[] = [];
  let rest = index;
  for (const n of shape.toReversed()) {
    found.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return found;
}

export const convolution: Kind<ConvolutionSpec, ConvolutionInputs> = {
  inputs: ({ channels, out, size, kernel }) => ({
    x: uniform(channels * product(size), 1),
    weight: uniform(out * channels * kernel ** size.length, 2),
  }),
  expected: (spec, { x, weight }) => {
    const { channels, size, kernel, out } = spec;
    const pixels = product(size);
    const taps = kernel ** size.length;
    const pads = paddingOf(spec);
    const kernelShape = size.map(() => kernel);
    return expectAt(out * pixels, (position) => {
      const output = Math.floor(position / pixels);
      const place = coordinates(position % pixels, size);
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        const offset = coordinates(tap, kernelShape);
        const from = place.map((p, axis) => p + at(offset, axis) - (pads[axis]?.[0] ?? 0));
        if (from.some((p, axis) => p < 0 || p >= at(size, axis))) continue;
        const pixel = from.reduce((index, p, axis) => index * at(size, axis) + p, 0);
        for (let c = 0; c < channels; c++)
          sum += at(x, c * pixels + pixel) * at(weight, (output * channels + c) * taps + tap);
      }
      return sum;
    });
  },
  flops: ({ channels, out, size, kernel }) => 2 * channels * out * product(size) * kernel ** size.length,
  bytes: () => null,
};
