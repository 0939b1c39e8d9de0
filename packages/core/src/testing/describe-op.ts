import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import type { Shape } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { difference, expectClose, type Tolerance } from "./allclose.ts";
import { numericSlope } from "./gradcheck.ts";
import { at, build, sample, type Nd } from "./nd.ts";

/** Shapes of an op's inputs by name, in the order of its arguments. */
export type OpCase = Readonly<Record<string, Shape>>;

export interface OpDescription {
  readonly cases: readonly OpCase[];
  /** The op's definition in float64. */
  readonly reference: (...inputs: Nd[]) => Nd;
  readonly tolerance: Tolerance;
  /** For the gradient, which passes more roundings; ten times `tolerance` by default. */
  readonly gradientTolerance?: Tolerance;
  /** Values of the inputs, [-1, 1) by default. */
  readonly range?: readonly [number, number];
  /** Inputs that the gradient is checked for; all by default. */
  readonly differentiable?: readonly string[];
  /** Shapes that must be refused, with the start of the message. */
  readonly throws?: readonly (readonly [OpCase, string])[];
}

/** Elements of an input whose slopes are checked, evenly spread: each costs two evaluations of the definition. */
const MAX_SLOPES = 24;

const leaf = (x: Nd): Tensor => tensor(Float32Array.from(x.data), { shape: x.shape });

/** The same values as a view whose strides are permuted and whose rows have gaps. */
export function scattered(x: Nd): Tensor {
  const order = x.shape.map((_, a) => a).reverse();
  const ndim = x.shape.length;
  if (ndim === 0) return leaf(x);
  const reversed = build(
    order.map((a, i) => (x.shape[a] ?? 1) + (i === ndim - 1 ? 2 : 0)),
    (index) => {
      const last = (index[ndim - 1] ?? 0) - 1;
      if (last < 0 || last >= (x.shape[0] ?? 0)) return NaN;
      return at(x, [last, ...index.slice(0, -1).reverse()]);
    },
  );
  const whole = leaf(reversed);
  return whole.slice(-1, 1, -1).permute(order);
}

const label = (shapes: OpCase): string =>
  Object.entries(shapes)
    .map(([name, shape]) => `${name} [${shape.join(", ")}]`)
    .join(", ");

/**
 * Tests an op by its rules: for each case the value against its float64 definition, on contiguous and on scattered inputs, and the
 * gradient against central differences of that definition; then each stated error.
 */
export function describeOp(name: string, op: (...inputs: Tensor[]) => Tensor, description: OpDescription): void {
  const { cases, reference, tolerance, range = [-1, 1], throws = [] } = description;
  const gradientTolerance = description.gradientTolerance ?? {
    absolute: 10 * tolerance.absolute,
    relative: 10 * tolerance.relative,
  };
  describe(name, () => {
    test.each(cases.map((shapes) => [label(shapes), shapes] as const))(
      "equals its definition: %s",
      async (_, shapes) => {
        const names = Object.keys(shapes);
        const inputs = Object.values(shapes).map((shape, i) => sample(shape, i + 1, ...range));
        const expected = reference(...inputs);
        const leaves = inputs.map(leaf);
        const y = op(...leaves);
        const strided = op(...inputs.map(scattered));
        const weights = sample(y.shape, 99);
        const wrt = names.flatMap((n, i) => ((description.differentiable ?? names).includes(n) ? [i] : []));
        const gradients = grad(
          y,
          wrt.flatMap((i) => leaves[i] ?? []),
          leaf(weights),
        );
        await realize([y, strided, ...gradients]);
        await expectClose(y, expected, tolerance, "value");
        await expectClose(strided, expected, tolerance, "value on scattered inputs");
        for (const [k, i] of wrt.entries()) {
          const values = (await gradients[k]?.data()) ?? [];
          const size = inputs[i]?.data.length ?? 0;
          expect(values).toHaveLength(size);
          const chosen = Array.from({ length: Math.min(size, MAX_SLOPES) }, (_, n) =>
            Math.floor((n * size) / Math.min(size, MAX_SLOPES)),
          );
          const slopes = chosen.map((at) => numericSlope((x) => reference(...x), inputs, i, at, weights));
          const found = difference(
            chosen.map((at) => values[at] ?? NaN),
            slopes,
            gradientTolerance,
          );
          if (found) throw new Error(`gradient of ${names[i]}, of elements ${chosen.join(", ")}: ${found}`);
        }
      },
    );
    if (throws.length > 0)
      test.each(throws.map(([shapes, message]) => [label(shapes), shapes, message] as const))(
        "refuses %s",
        (_, shapes, message) => {
          expect(() => op(...Object.values(shapes).map((shape) => leaf(sample(shape, 1))))).toThrow(message);
        },
      );
  });
}
