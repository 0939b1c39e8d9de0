import { at, type Expected, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

/** softmax(q·kᵀ / √D)·v over [1, heads, tokens, headDim]. */
export interface AttentionSpec {
  readonly heads: number;
  readonly tokens: number;
  readonly headDim: number;
}

export interface AttentionInputs {
  readonly q: Floats;
  readonly k: Floats;
  readonly v: Floats;
}

export interface AttentionBackwardInputs extends AttentionInputs {
  /** Gradient of the result. */
  readonly gradient: Floats;
}

const elements = ({ heads, tokens, headDim }: AttentionSpec): number => heads * tokens * headDim;

/** Both products of the forward pass. */
const forwardFlops = ({ heads, tokens, headDim }: AttentionSpec): number => 4 * heads * tokens ** 2 * headDim;

function inputs(spec: AttentionSpec): AttentionInputs {
  return { q: uniform(elements(spec), 1), k: uniform(elements(spec), 2), v: uniform(elements(spec), 3) };
}

/** One row of softmax(q·kᵀ / √D), starting at element `start` of q. */
function weightsOf({ tokens, headDim }: AttentionSpec, { q, k }: AttentionInputs, start: number): Float64Array {
  const head = Math.floor(start / (tokens * headDim)) * tokens * headDim;
  const scores = new Float64Array(tokens);
  for (let j = 0; j < tokens; j++) {
    let dot = 0;
    for (let d = 0; d < headDim; d++) dot += at(q, start + d) * at(k, head + j * headDim + d);
    scores[j] = dot / Math.sqrt(headDim);
  }
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map((s) => Math.exp(s - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** A row of weights costs as much as a row of the result: few rows, spread over all heads. */
const CHECKED_ROWS = 128;

/** Some values of the result. */
export function forwardExpected(spec: AttentionSpec, given: AttentionInputs): Expected {
  return expectAt(
    elements(spec),
    (position) => {
      const d = position % spec.headDim;
      const weights = weightsOf(spec, given, position - d);
      const head = Math.floor(position / (spec.tokens * spec.headDim)) * spec.tokens * spec.headDim;
      return weights.reduce((sum, w, j) => sum + w * at(given.v, head + j * spec.headDim + d), 0);
    },
    CHECKED_ROWS,
  );
}

export const attention: Kind<AttentionSpec, AttentionInputs> = {
  inputs,
  expected: forwardExpected,
  flops: forwardFlops,
  bytes: () => null,
};

/** dL/dq, dL/dk and dL/dv of the first head, one after another, as every contender gives them for all heads. */
function backwardExpected(spec: AttentionSpec, given: AttentionBackwardInputs): Expected {
  const { tokens, headDim } = spec;
  const { q, k, v, gradient } = given;
  const size = tokens * headDim;
  const [dq, dk, dv] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const scale = 1 / Math.sqrt(headDim);
  for (let i = 0; i < tokens; i++) {
    const weights = weightsOf(spec, given, i * headDim);
    const slopes = weights.map((_, j) => {
      let dot = 0;
      for (let d = 0; d < headDim; d++) dot += at(gradient, i * headDim + d) * at(v, j * headDim + d);
      return dot;
    });
    const mean = weights.reduce((sum, w, j) => sum + w * at(slopes, j), 0);
    for (let j = 0; j < tokens; j++) {
      const weight = at(weights, j);
      const score = weight * (at(slopes, j) - mean) * scale;
      for (let d = 0; d < headDim; d++) {
        dq[i * headDim + d] = at(dq, i * headDim + d) + score * at(k, j * headDim + d);
        dk[j * headDim + d] = at(dk, j * headDim + d) + score * at(q, i * headDim + d);
        dv[j * headDim + d] = at(dv, j * headDim + d) + weight * at(gradient, i * headDim + d);
      }
    }
  }
  const each = elements(spec);
  const parts = [dq, dk, dv];
  return {
    positions: Uint32Array.from({ length: 3 * size }, (_, p) => Math.floor(p / size) * each + (p % size)),
    values: Float64Array.from({ length: 3 * size }, (_, p) => at(parts[Math.floor(p / size)] ?? [], p % size)),
  };
}

/** Gradients of q, k and v for a given gradient of the result, the forward pass included. */
export const attentionBackward: Kind<AttentionSpec, AttentionBackwardInputs> = {
  inputs: (spec) => ({ ...inputs(spec), gradient: uniform(elements(spec), 4) }),
  expected: backwardExpected,
  // two products forward, five backward with the scores computed anew
  flops: (spec) => 3.5 * forwardFlops(spec),
  bytes: () => null,
};
