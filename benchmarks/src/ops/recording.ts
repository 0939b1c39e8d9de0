import { expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

/** So many chains of so many additions each on a small tensor. */
export interface RecordingSpec {
  readonly chains: number;
  readonly length: number;
}

export interface RecordingInputs {
  readonly x: Floats;
}

const SIZE = 16;

/** Building a graph, of which nothing is run: JavaScript's share of an op. */
export const recording: Kind<RecordingSpec, RecordingInputs> = {
  inputs: () => ({ x: uniform(SIZE, 1) }),
  // of the last chain
  expected: ({ length }, { x }) => expectAt(SIZE, (i) => (x[i] ?? NaN) + length),
  flops: () => null,
  bytes: () => null,
};
