import type { Rng, Tensor } from "@omni/core";
import { respaced } from "./respacing.ts";
import type { Respacing } from "./respacing.ts";

/** Times of a sampling run, falling from 1 (noise) to 0 (data): one more than there are steps. */
export type Schedule = readonly number[];

export interface ScheduleOptions {
  /** Solver steps. */
  readonly steps: number;
  /** Resolution and length shift s of `shiftTime`; 1 leaves the times alone. */
  readonly shift?: number;
  /**
   * "uniform": t = 1 - i/steps, every step moves (Wan's choice). "diffusers": the times of diffusers'
   * FlowMatchEulerDiscreteScheduler, whose last step only goes from `sigmaMin` to 0. "unipc": those of its UniPCMultistepScheduler with
   * flow sigmas: uniform, but from 1 - 1 / trainSteps.
   */
  readonly spacing?: "uniform" | "diffusers" | "unipc";
  /** Size N of the training grid, for the spacings named after diffusers; "diffusers" ends at shift(1 / N). */
  readonly trainSteps?: number;
  /** Dynamic shift: when given, s = exp(mu) replaces `shift`; see `shiftForLength`. */
  readonly mu?: number;
  /** Stretches the times so that the last one before 0 is this. */
  readonly terminal?: number;
  /** Places the times between the first and the last anew, after shift and terminal. */
  readonly respacing?: Respacing;
}

/**
 * Resolution and length shift of a time: t' = s t / (1 + (s - 1) t).
 *
 * @param t time in [0, 1]
 * @param shift s > 0; above 1 spends more steps near noise
 * @see Esser et al. 2024, eq. 23
 */
export function shiftTime(t: number, shift: number): number {
  return (shift * t) / (1 + (shift - 1) * t);
}

/**
 * Shift s = exp(mu) for a sequence of n tokens, with mu linear in n between two anchors.
 *
 * @param tokens video tokens of the sequence
 * @returns s for `shiftTime`
 */
export function shiftForLength(
  tokens: number,
  { baseTokens = 256, maxTokens = 4096, baseMu = 0.5, maxMu = 1.15 }: LengthShiftOptions = {},
): number {
  const slope = (maxMu - baseMu) / (maxTokens - baseTokens);
  return Math.exp(baseMu + slope * (tokens - baseTokens));
}

/** Anchors of `shiftForLength`: mu is `baseMu` at `baseTokens` and `maxMu` at `maxTokens`. */
export interface LengthShiftOptions {
  readonly baseTokens?: number;
  readonly maxTokens?: number;
  readonly baseMu?: number;
  readonly maxMu?: number;
}

/**
 * The times a solver walks through.
 *
 * @returns steps + 1 strictly falling times, the first 1 and the last 0
 * @throws RangeError when steps is not a positive integer or shift is not positive
 */
export function flowSchedule({
  steps,
  shift = 1,
  spacing = "uniform",
  trainSteps = 1000,
  mu,
  terminal,
  respacing,
}: ScheduleOptions): Schedule {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`flowSchedule: steps must be a positive integer, got ${steps}`);
  }
  if (!(shift > 0)) throw new RangeError(`flowSchedule: shift must be above 0, got ${shift}`);
  const s = mu === undefined ? shift : Math.exp(mu);
  const [first, last] = timeRange({ steps, spacing, trainSteps, shift: mu === undefined ? s : 1 });
  const times = Array.from({ length: steps }, (_, i) => {
    const t = steps === 1 ? first : first + (last - first) * (i / (steps - 1));
    return shiftTime(t, s);
  });
  const ended = terminal === undefined || steps === 1 ? times : stretchToTerminal(times, terminal);
  return [...(respacing ? respaced(ended, respacing) : ended), 0];
}

/** Times of the training grid, falling: shift(i / N) for i from N to 1. diffusers' timesteps are N times as large. */
export function trainingTimes({
  trainSteps = 1000,
  shift = 1,
}: Pick<ScheduleOptions, "trainSteps" | "shift"> = {}): readonly number[] {
  return Array.from({ length: trainSteps }, (_, i) => shiftTime((trainSteps - i) / trainSteps, shift));
}

/** The first time and the last before 0, before the shift. */
function timeRange({
  steps,
  spacing,
  trainSteps,
  shift,
}: Required<Pick<ScheduleOptions, "steps" | "spacing" | "trainSteps" | "shift">>): readonly [number, number] {
  switch (spacing) {
    case "uniform":
      return [1, 1 / steps];
    case "diffusers":
      // its training grid is shifted, and what lies between the grid's ends is shifted again
      return [1, shiftTime(1 / trainSteps, shift)];
    case "unipc": {
      const first = 1 - 1 / trainSteps;
      return [first, first / steps];
    }
  }
}

/** 1 - (1 - t) scaled so that the last time is `terminal`. */
function stretchToTerminal(times: readonly number[], terminal: number): number[] {
  const last = times.at(-1) ?? 1;
  const scale = (1 - last) / (1 - terminal);
  return times.map((t) => 1 - (1 - t) / scale);
}

/** How training draws its times. */
export type TimeDistribution =
  | { readonly kind: "uniform" }
  /** t = sigmoid(mean + std n), n standard normal: most weight on the middle of the path. */
  | { readonly kind: "logit-normal"; readonly mean: number; readonly std: number };

/** t = sigmoid(n): Esser et al. 2024's choice, and the nano recipe's. */
export const logitNormal = { kind: "logit-normal", mean: 0, std: 1 } as const satisfies TimeDistribution;

export interface TimeOptions {
  /** Default `logitNormal`. */
  readonly distribution?: TimeDistribution;
  /** Shift s of `shiftTime`, applied after the draw. Default 1. */
  readonly shift?: number;
}

/**
 * Training times, one a sample.
 *
 * @param batch B
 * @returns [B], in (0, 1)
 */
export function drawTimes(
  rng: Rng,
  batch: number,
  { distribution = logitNormal, shift = 1 }: TimeOptions = {},
): Tensor {
  const t =
    distribution.kind === "uniform"
      ? rng.uniform([batch])
      : rng.normal([batch]).mul(distribution.std).add(distribution.mean).sigmoid();
  return shift === 1 ? t : t.mul(shift).div(t.mul(shift - 1).add(1));
}
