import { DeviceError } from "../base/errors.ts";
import type { Program } from "../kernels/kernel.ts";
import { type Candidate, choiceOf } from "../kernels/tuning.ts";
import type { Device } from "../runtime/device.ts";
import { type CandidateTimer, candidateTimer } from "./candidate-timer.ts";
import type { Tunable } from "./spec.ts";
import { fastest } from "./tune-rounds.ts";

/** A kernel that was timed. */
export interface TunedKernel {
  /** The kernel, its sizes and layouts. */
  readonly kernel: string;
  /** Ways that were timed. */
  readonly candidates: number;
  /** The way that it runs now; that which it would run anyway where nothing was clearly faster. */
  readonly choice: string;
  /** The choice's time over that of what would run anyway, a median; 1 where that is kept. */
  readonly ratio: number;
}

/** How kernels are timed. */
export interface AutotuneOptions {
  /** Milliseconds of runs for each kernel, beside compiling; slow kernels take five rounds. Default 200. */
  readonly budget?: number;
  /** Also times what has been timed before. Default false. */
  readonly again?: boolean;
  /** Keeps the choices for later processes. Default true. */
  readonly keep?: boolean;
}

/** Makes what runs the candidates of a kernel. */
export type MakeTimer = (device: Device, kernel: Tunable, programs: readonly Program[]) => Promise<CandidateTimer>;

/**
 * Times the kernels that were not timed before, and keeps the choices.
 *
 * @returns those timed
 */
export async function tuneKernels(
  device: Device,
  kernels: readonly Tunable[],
  { budget = 200, again = false, keep = true }: AutotuneOptions,
  makeTimer: MakeTimer = candidateTimer,
): Promise<TunedKernel[]> {
  const { choices, tooLarge } = device.tuning;
  const timed: TunedKernel[] = [];
  for (const kernel of kernels) {
    if (!again && device.tuning.isSettled(kernel.key)) continue;
    const result = await tuneKernel(device, kernel, budget, makeTimer);
    if (!result) {
      tooLarge.add(kernel.key);
      continue;
    }
    choices.set(kernel.key, choiceOf(result.first, result.best));
    timed.push(result.report);
  }
  if (timed.length > 0 && keep) await device.tuning.save();
  return timed;
}

interface Result {
  readonly first: Candidate;
  readonly best: Candidate;
  readonly report: TunedKernel;
}

/** Null where the kernel's buffers do not fit beside what is there. */
async function tuneKernel(
  device: Device,
  kernel: Tunable,
  budget: number,
  makeTimer: MakeTimer,
): Promise<Result | null> {
  const candidates = runnable(kernel, device.traits.maxStorageBinding);
  const [first] = candidates;
  if (!first) return null;
  let timer: CandidateTimer;
  try {
    timer = await makeTimer(
      device,
      kernel,
      candidates.map(({ program }) => program),
    );
  } catch (error) {
    if (error instanceof DeviceError && error.kind === "out-of-memory") return null;
    throw error;
  }
  try {
    const { index, ratio } = await fastest(candidates.length, timer.time, budget);
    const best = candidates[index] ?? first;
    return {
      first: first.candidate,
      best: best.candidate,
      report: { kernel: kernel.key, candidates: candidates.length, choice: best.candidate.name, ratio },
    };
  } finally {
    timer.destroy();
  }
}

/** Candidates whose scratch can be bound, one of each that comes to the same launches. */
function runnable({ candidates }: Tunable, limit: number): { candidate: Candidate; program: Program }[] {
  const made = candidates.map((candidate) => ({ candidate, program: candidate.program() }));
  const fits = made.filter(({ program }, i) => i === 0 || program.scratch.every((bytes) => bytes <= limit));
  const texts = fits.map(({ program }) =>
    program.launches.map((l) => `${l.wgsl}${l.uniforms.join()};${l.workgroups.join()}`).join("\n"),
  );
  return fits.filter((_, i) => texts.indexOf(texts[i] ?? "") === i);
}
