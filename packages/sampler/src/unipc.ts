import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { Multistep, MultistepSolver } from "./multistep.ts";
import type { Schedule } from "./timesteps.ts";
import { solveLinear } from "./solve-linear.ts";
import type { Field } from "./velocity.ts";

/** Options of {@link uniPC}. */
export interface UniPCOptions {
  /** Points that a step looks at, its own among them. Default 2; 3 is for unconditional models. */
  readonly order?: number;
  /** B(h): h, or e^h - 1, which is better at few steps. Default "bh2". */
  readonly kind?: "bh1" | "bh2";
  /** Lower the order towards the end, for stability below 15 steps. Default true. */
  readonly lowerOrderFinal?: boolean;
  /** Correct each point once its velocity is known, at no evaluation more. Default true. */
  readonly corrector?: boolean;
}

/** A point of the path with what the model made of it. */
interface Point {
  readonly t: number;
  /** Predicted clean latents, x_t - t v. */
  readonly x0: Tensor;
}

/** Half of the log signal-to-noise ratio: ln((1 - t) / t). Infinite at both ends. */
const logSnr = (t: number): number => Math.log(1 - t) - Math.log(t);

/** Weights of a step from `from` to `to` that looks at earlier points too. */
interface StepWeights {
  /** Of x at `from`. */
  readonly x: number;
  /** Of the clean latents predicted at `from`. */
  readonly x0: number;
  /** Of (predicted at the i-th earlier point - predicted at `from`). */
  readonly earlier: readonly number[];
  /** Of (predicted at `to` - predicted at `from`), when correcting. */
  readonly own: number;
}

/**
 * The coefficients of UniP (`correct` false) and UniC (true) with B(h) of the given kind.
 *
 * @see Zhao et al. 2023, "UniPC", eq. 3 and 9 and appendix; diffusers, UniPCMultistepScheduler
 */
function stepWeights(
  { from, to, earlier }: { readonly from: number; readonly to: number; readonly earlier: readonly number[] },
  kind: "bh1" | "bh2",
  correct: boolean,
): StepWeights {
  const h = logSnr(to) - logSnr(from);
  const grown = Math.expm1(-h);
  // from pure noise h is infinite, and only the second kind stays finite
  const b = kind === "bh1" && Number.isFinite(h) ? -h : grown;
  const ratios = [...earlier.map((t) => (logSnr(t) - logSnr(from)) / h), 1];
  const unknowns = correct ? ratios.length : ratios.length - 1;
  const rows: number[][] = [];
  const right: number[] = [];
  let phi = grown / -h - 1;
  let factorial = 1;
  for (let k = 1; k <= ratios.length; k++) {
    rows.push(ratios.map((r) => r ** (k - 1)));
    right.push((phi * factorial) / b);
    factorial *= k + 1;
    phi = phi / -h - 1 / factorial;
  }
  // one unknown is always a half: upstream's choice, which the higher orders are built on
  const shares =
    unknowns === 1
      ? [0.5]
      : solveLinear(
          rows.slice(0, unknowns).map((row) => row.slice(0, unknowns)),
          right.slice(0, unknowns),
        );
  const scale = -(1 - to) * b;
  return {
    x: to / from,
    x0: -(1 - to) * grown,
    earlier: earlier.map((_, i) => (scale * (shares[i] ?? 0)) / (ratios[i] ?? 1)),
    own: correct ? scale * (shares.at(-1) ?? 0) : 0,
  };
}

/** A leaf, not a constant: the graph keeps its structure from step to step, so its plan is reused. */
const scaled = (x: Tensor, weight: number): Tensor => x.mul(tensor([weight]));

class UniPCRun implements Multistep {
  readonly #schedule: Schedule;
  readonly #options: Required<UniPCOptions>;
  /** Newest first. */
  #points: readonly Point[] = [];
  #last: { readonly x: Tensor; readonly order: number } | null = null;
  #done = 0;

  constructor(schedule: Schedule, options: Required<UniPCOptions>) {
    this.#schedule = schedule;
    this.#options = options;
  }

  get kept(): readonly Tensor[] {
    return [...this.#points.map(({ x0 }) => x0), ...(this.#last ? [this.#last.x] : [])];
  }

  step(field: Field, xt: Tensor, t: number, tNext: number): Tensor {
    const { order, kind, lowerOrderFinal, corrector } = this.#options;
    const x0 = xt.sub(scaled(field(xt, t), t));
    const [before] = this.#points;
    const last = this.#last;
    const x = corrector && before && last ? this.#move(last.x, before, t, { order: last.order, kind, x0 }) : xt;
    this.#points = [{ t, x0 }, ...this.#points].slice(0, order);
    const left = this.#schedule.length - 1 - this.#done;
    const now = Math.min(order, this.#done + 1, lowerOrderFinal ? left : order);
    this.#last = { x, order: now };
    this.#done++;
    // all that is left of the path is the clean latents
    return tNext === 0 ? x0 : this.#move(x, { t, x0 }, tNext, { order: now, kind, x0: null });
  }

  /** x at `from` moved to time `to`; with the clean latents predicted at `to` it corrects a move made without. */
  #move(
    x: Tensor,
    from: Point,
    to: number,
    { order, kind, x0 }: { readonly order: number; readonly kind: "bh1" | "bh2"; readonly x0: Tensor | null },
  ): Tensor {
    // pure noise has no signal: its log ratio is infinite, and it says nothing of the path's bend
    const earlier = this.#points.filter((point) => point.t > from.t && point.t < 1).slice(0, order - 1);
    const weights = stepWeights({ from: from.t, to, earlier: earlier.map((point) => point.t) }, kind, x0 !== null);
    const straight = scaled(x, weights.x).add(scaled(from.x0, weights.x0));
    const bent = earlier.reduce(
      (sum, point, i) => sum.add(scaled(point.x0.sub(from.x0), weights.earlier[i] ?? 0)),
      straight,
    );
    return x0 ? bent.add(scaled(x0.sub(from.x0), weights.own)) : bent;
  }
}

/**
 * UniPC: a predictor that looks back and a corrector that reuses the next step's evaluation: second or third order for one evaluation a
 * step.
 *
 * With the "unipc" schedule equal to diffusers' UniPCMultistepScheduler with flow prediction.
 *
 * @throws RangeError unless the order is a whole number above 0
 * @see Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models"
 */
export function uniPC({
  order = 2,
  kind = "bh2",
  lowerOrderFinal = true,
  corrector = true,
}: UniPCOptions = {}): MultistepSolver {
  if (!Number.isInteger(order) || order < 1)
    throw new RangeError(`uniPC: order must be a whole number above 0, got ${order}`);
  const options = { order, kind, lowerOrderFinal, corrector };
  return { start: (schedule) => new UniPCRun(schedule, options) };
}
