import type { ContenderId, Started, Work } from "../contenders/contender.ts";
import { MOST_ERROR, relativeError } from "../measure/accuracy.ts";
import { repeatsFor, type Timed, timeOnce } from "../measure/rounds.ts";
import type { BenchOp } from "../ops/catalog.ts";
import type { Expected, Kind } from "../ops/kind.ts";
import { kinds } from "../ops/kinds.ts";
import type { ContenderResult } from "../record/cell-record.ts";

/** A contender whose answer is right, warmed up. */
export interface Ready {
  readonly id: ContenderId;
  readonly version: string;
  readonly work: Work;
  readonly cold: number;
  readonly error: number;
  /** Runs of one measurement. */
  readonly repeats: number;
}

/** Warm-up runs after the first call: kernels are compiled in the first, plans and caches settle in the second. */
const WARM_UPS = 2;

/** An op with its inputs and answer, which all contenders share. */
export interface Task {
  readonly kind: BenchOp["kind"];
  readonly spec: unknown;
  readonly inputs: unknown;
  readonly expected: Expected | null;
  readonly flops: number | null;
  readonly bytes: number | null;
}

/** Makes inputs and answer. */
export function taskOf(op: BenchOp, sizes: "full" | "tiny"): Task {
  const kind = kinds[op.kind] as Kind<unknown, unknown>; // a catalog row holds the spec of its kind
  const spec = sizes === "tiny" ? op.tiny : op.spec;
  const inputs = kind.inputs(spec);
  return {
    kind: op.kind,
    spec,
    inputs,
    expected: kind.expected?.(spec, inputs) ?? null,
    flops: kind.flops(spec),
    bytes: kind.bytes(spec),
  };
}

/** Has a started contender do the op once, checks the answer and warms up. Gives a result where it is out of the race. */
export async function prepare(
  id: ContenderId,
  { version, builders }: Started,
  task: Task,
): Promise<Ready | ContenderResult> {
  const build = builders[task.kind] as ((spec: unknown, inputs: unknown) => Promise<Work>) | undefined; // same kind
  if (!build) return { id, version, status: "absent" };
  const work = await build(task.spec, task.inputs);
  const cold = await timeOnce(work, 0);
  const answer = await work.answer();
  const expected = work.reference ? await work.reference.expected() : task.expected;
  if (!expected) throw new Error(`${id}: there is nothing to check the answer of ${task.kind} against`);
  const error = relativeError(answer, expected);
  if (error > MOST_ERROR) return { id, version, status: "wrong", cold, error };
  return { id, version, work, cold, error, repeats: await warmUp(work) };
}

/** Runs a work until it is settled. Gives the runs that one measurement of it takes. */
export async function warmUp(work: Timed): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < WARM_UPS; i++) times.push(await timeOnce(work, 0));
  return repeatsFor(Math.min(...times));
}
