import { getDevice, type PlanReport, type Tensor } from "@omni/core";
import { writeRunState } from "./run-state.ts";

/** One line of a training log. */
export interface LogLine {
  readonly step: number;
  readonly steps: number;
  readonly values: Readonly<Record<string, number>>;
  readonly secondsPerStep: number;
  /** Estimated seconds to the end. */
  readonly secondsLeft: number;
  /** Bytes on the device. */
  readonly deviceBytes: number;
}

export interface LoopOptions {
  readonly steps: number;
  readonly from?: number;
  /** Checkpoint file; none is written without it. */
  readonly checkpoint?: string | null;
  /** Seconds between checkpoints. */
  readonly checkpointSeconds?: number;
  readonly onLog?: (line: LogLine) => void;
  /** Told of the first step's plan before it runs. */
  readonly onPlan?: ((plan: PlanReport) => void) | undefined;
  readonly signal?: AbortSignal;
}

/** A step on its way through the device. */
export interface SubmittedStep {
  /** Its numbers for the log, once they are known. */
  readonly values: Promise<Record<string, number>>;
}

/**
 * Runs training steps, logs each, and writes a checkpoint every so often, at the end and when stopped.
 *
 * @returns the number of steps done in all
 */
export async function runSteps(
  options: LoopOptions,
  step: (index: number) => Promise<SubmittedStep>,
  state: () => Iterable<[string, Tensor]>,
  metadata: () => Readonly<Record<string, string>> = () => ({}),
): Promise<number> {
  const { steps, from = 0, checkpoint = null, checkpointSeconds = 60, onLog, signal } = options;
  const device = await getDevice();
  let saved = performance.now();
  let pace = 0;
  let done = from;
  let submitted: SubmittedStep | null = null;
  let started = performance.now();
  const report = async (): Promise<void> => {
    if (!submitted) return;
    const values = await submitted.values;
    submitted = null;
    const seconds = (performance.now() - started) / 1000;
    started = performance.now();
    // the first steps compile kernels; a running mean forgets them
    pace = pace === 0 ? seconds : pace + 0.1 * (seconds - pace);
    onLog?.({
      step: done,
      steps,
      values,
      secondsPerStep: pace,
      secondsLeft: pace * (steps - done),
      deviceBytes: device.pool.liveBytes,
    });
  };
  const save = async (): Promise<void> => {
    await report();
    if (checkpoint) await writeRunState(checkpoint, done, state(), metadata());
    saved = performance.now();
  };
  while (done < steps && !signal?.aborted) {
    // the next step is recorded while the device works on this one
    const next = await step(done);
    next.values.catch(() => undefined); // the report's to throw
    await report();
    submitted = next;
    done++;
    if (performance.now() - saved > checkpointSeconds * 1000) await save();
  }
  await save();
  return done;
}
