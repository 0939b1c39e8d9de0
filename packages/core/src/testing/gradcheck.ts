import { grad } from "../autograd/grad.ts";
import { sizeOf } from "../base/shape.ts";
import { tensor } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { sample, type Nd } from "./nd.ts";

/**
 * Slope of F = Σ weights · f(inputs) along element `i` of input `which`, by central differences in float64:
 *
 * ∂F/∂x_i ≈ (F(x + h e_i) − F(x − h e_i)) / 2h,   error ~ h² F‴ / 6 + 1e-16 F / h
 */
export function numericSlope(
  f: (inputs: readonly Nd[]) => Nd,
  inputs: readonly Nd[],
  which: number,
  i: number,
  weights: Nd,
  h = 1e-5,
): number {
  const moved = (by: number): number => {
    const y = f(
      inputs.map(({ shape, data }, k) => ({ shape, data: k === which ? data.with(i, (data[i] ?? NaN) + by) : data })),
    );
    return y.data.reduce((total, value, k) => total + value * (weights.data[k] ?? NaN), 0);
  };
  return (moved(h) - moved(-h)) / (2 * h);
}

/** The slopes along every element of an input: its gradient. */
export function numericGradient(
  f: (inputs: readonly Nd[]) => Nd,
  inputs: readonly Nd[],
  which: number,
  weights: Nd,
): Nd {
  const shape = inputs[which]?.shape ?? [];
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => numericSlope(f, inputs, which, i, weights));
  return { shape, data };
}

/** How closely `gradcheck` looks. */
export interface GradcheckOptions {
  /** Random directions that are tried. */
  readonly directions?: number;
  /** Length of a step along a direction of unit root mean square. */
  readonly step?: number;
  /** Largest error against the derivative's own size plus one. */
  readonly tolerance?: number;
  /** Of the weights and directions; 1 by default. */
  readonly seed?: number;
}

/**
 * Compares `grad` with central differences on the device, along random directions: for functions that have no float64 twin.
 *
 * ⟨∇F, d⟩ ≈ (F(x + h d) − F(x − h d)) / 2h,   F = Σ w · f(x) with random weights w
 *
 * Sums are taken in float64 on the host, so the error is about 1e-7 |f| / h + h². The default step suits values of about 1.
 *
 * @throws Error when a direction's derivative is off
 */
export async function gradcheck(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Nd[],
  { directions = 2, step = 1e-2, tolerance = 5e-3, seed = 1 }: GradcheckOptions = {},
): Promise<void> {
  const toTensor = (x: Nd): Tensor => tensor(Float32Array.from(x.data), { shape: x.shape });
  const leaves = inputs.map(toTensor);
  const y = f(...leaves);
  const weights = sample(y.shape, seed);
  const gradients = grad(y, leaves, toTensor(weights));
  const tries = Array.from({ length: directions }, (_, n) => {
    const direction = inputs.map((x, k) => sample(x.shape, seed + 1000 * (n + 1) + k, -Math.sqrt(3), Math.sqrt(3)));
    const moved = (by: number): Tensor =>
      f(
        ...inputs.map((x, k) =>
          toTensor({ shape: x.shape, data: x.data.map((v, i) => v + by * (direction[k]?.data[i] ?? 0)) }),
        ),
      );
    return { direction, ahead: moved(step), behind: moved(-step) };
  });
  await realize([...gradients, ...tries.flatMap((t) => [t.ahead, t.behind])]);
  const values = await Promise.all(gradients.map((g) => g.data()));
  for (const [n, { direction, ahead, behind }] of tries.entries()) {
    const [a, b] = [await ahead.data(), await behind.data()];
    const numeric = weights.data.reduce((sum, w, i) => sum + w * ((a[i] ?? NaN) - (b[i] ?? NaN)), 0) / (2 * step);
    const analytic = direction.reduce(
      (sum, d, k) => sum + d.data.reduce((inner, v, i) => inner + v * (values[k]?.[i] ?? NaN), 0),
      0,
    );
    if (!(Math.abs(numeric - analytic) <= tolerance * (1 + Math.abs(numeric))))
      throw new Error(`gradcheck: direction ${n}: the gradient gives ${analytic}, differences give ${numeric}`);
  }
}
