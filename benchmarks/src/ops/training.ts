import { at, type Expected, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";

/** Adam's numbers, the same for every contender. */
export const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 } as const;

/** So many parameters of one size each. */
export interface AdamSpec {
  readonly tensors: number;
  readonly each: number;
}

export interface AdamInputs {
  readonly parameters: readonly Floats[];
  readonly gradients: readonly Floats[];
}

/** Adam's first update, where m̂ = g and v̂ = g². */
const firstUpdate = (gradient: number): number => (ADAM.lr * gradient) / (Math.abs(gradient) + ADAM.eps);

/** One update of all parameters from gradients that lie on the device; no weight decay, which not every contender has. */
export const adam: Kind<AdamSpec, AdamInputs> = {
  inputs: ({ tensors, each }) => ({
    parameters: Array.from({ length: tensors }, (_, i) => uniform(each, 2 * i + 1)),
    gradients: Array.from({ length: tensors }, (_, i) => uniform(each, 2 * i + 2)),
  }),
  // parameters after the first step, one after another
  expected: ({ tensors, each }, { parameters, gradients }) =>
    expectAt(tensors * each, (position) => {
      const [i, j] = [Math.floor(position / each), position % each];
      return at(parameters[i] ?? [], j) - firstUpdate(at(gradients[i] ?? [], j));
    }),
  flops: () => null,
  // reads parameter, gradient and two moments, writes all but the gradient
  bytes: ({ tensors, each }) => 7 * 4 * tensors * each,
};

/** relu(x·w1)·w2 against a target: x [batch, width], w1 [width, hidden], w2 [hidden, width]. */
export interface MlpSpec {
  readonly width: number;
  readonly hidden: number;
  readonly batch: number;
}

export interface MlpInputs {
  readonly x: Floats;
  readonly target: Floats;
  readonly w1: Floats;
  readonly w2: Floats;
}

/** C = A·B in float64, [m, k]·[k, n], rows of B streamed. */
function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  [m, k, n]: readonly [number, number, number],
): Float64Array {
  const c = new Float64Array(m * n);
  for (let row = 0; row < m; row++)
    for (let i = 0; i < k; i++) {
      const factor = at(a, row * k + i);
      if (factor === 0) continue;
      for (let column = 0; column < n; column++)
        c[row * n + column] = at(c, row * n + column) + factor * at(b, i * n + column);
    }
  return c;
}

function transposed(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => at(a, (i % rows) * columns + Math.floor(i / rows)));
}

interface Forward {
  readonly hidden: Float64Array;
  readonly error: Float64Array;
  readonly loss: number;
}

function forward(
  { width, hidden, batch }: MlpSpec,
  { x, target, w1, w2 }: Record<keyof MlpInputs, ArrayLike<number>>,
): Forward {
  const activated = product(x, w1, [batch, width, hidden]).map((value) => Math.max(0, value));
  const error = product(activated, w2, [batch, hidden, width]).map((y, i) => y - at(target, i));
  return { hidden: activated, error, loss: error.reduce((sum, e) => sum + e * e, 0) / error.length };
}

/** The losses of the first two steps: the second one has every gradient and the optimiser in it. */
function mlpExpected(spec: MlpSpec, inputs: MlpInputs): Expected {
  const { width, hidden, batch } = spec;
  const first = forward(spec, inputs);
  const slope = first.error.map((e) => (2 * e) / first.error.length);
  const g2 = product(transposed(first.hidden, batch, hidden), slope, [hidden, batch, width]);
  const back = product(slope, transposed(inputs.w2, hidden, width), [batch, width, hidden]);
  const masked = back.map((g, i) => (at(first.hidden, i) > 0 ? g : 0));
  const g1 = product(transposed(inputs.x, batch, width), masked, [width, batch, hidden]);
  const second = forward(spec, {
    ...inputs,
    w1: g1.map((g, i) => at(inputs.w1, i) - firstUpdate(g)),
    w2: g2.map((g, i) => at(inputs.w2, i) - firstUpdate(g)),
  });
  return { positions: Uint32Array.of(0, 1), values: Float64Array.of(first.loss, second.loss) };
}

/** Forward pass, mean squared error, gradients and Adam: one training step. */
export const mlpStep: Kind<MlpSpec, MlpInputs> = {
  inputs: ({ width, hidden, batch }) => ({
    x: uniform(batch * width, 1),
    target: uniform(batch * width, 2),
    w1: uniform(width * hidden, 3, 1 / Math.sqrt(width)),
    w2: uniform(hidden * width, 4, 1 / Math.sqrt(hidden)),
  }),
  expected: mlpExpected,
  // two products forward, three backward: nobody asks for the gradient of x
  flops: ({ width, hidden, batch }) => 5 * 2 * batch * width * hidden,
  bytes: () => null,
};
