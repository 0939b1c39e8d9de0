import { at, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

export interface LengthSpec {
  readonly length: number;
}

export interface AddGeluInputs {
  readonly a: Floats;
  readonly b: Floats;
}

/** GELU in its tanh form. @see Hendrycks & Gimpel 2016 */
export const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** gelu(a + b): a chain of a dozen elementwise operations over three arrays of memory. */
export const addGelu: Kind<LengthSpec, AddGeluInputs> = {
  inputs: ({ length }) => ({ a: uniform(length, 1), b: uniform(length, 2) }),
  expected: ({ length }, { a, b }) => expectAt(length, (i) => gelu(at(a, i) + at(b, i))),
  flops: () => null,
  bytes: ({ length }) => 3 * 4 * length,
};

export interface SumInputs {
  readonly x: Floats;
}

/** The sum of all elements. Their mean is 1, so that the relative error says something. */
export const sum: Kind<LengthSpec, SumInputs> = {
  inputs: ({ length }) => ({ x: uniform(length, 1).map((value) => value + 1) }),
  expected: (_, { x }) => ({ positions: Uint32Array.of(0), values: Float64Array.of(x.reduce((a, b) => a + b, 0)) }),
  flops: () => null,
  bytes: ({ length }) => 4 * length,
};
