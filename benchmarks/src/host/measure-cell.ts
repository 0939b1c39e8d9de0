import { availableParallelism, loadavg } from "node:os";
import type { CellEvent, CellJob } from "../cell/events.ts";
import type { ContenderId } from "../contenders/contender.ts";
import type { CellRecord, ContenderResult, Provenance } from "../record/cell-record.ts";
import type { CellRunner } from "./process-cell.ts";

/** What one attempt at a cell told before it ended. */
interface Told {
  readonly results: readonly ContenderResult[];
  readonly done: Extract<CellEvent, { type: "done" }> | null;
  /** Who was at work when it ended early. */
  readonly last: ContenderId | "ceilings" | null;
  readonly cause: string | null;
}

interface Attempt {
  readonly run: CellRunner;
  readonly job: CellJob;
  readonly signal: AbortSignal;
  /** Milliseconds after which the process is ended. */
  readonly limit: number;
  readonly onEvent: (event: CellEvent) => void;
}

async function attempt({ run, job, signal, limit, onEvent }: Attempt): Promise<Told> {
  const results: ContenderResult[] = [];
  let done: Told["done"] = null;
  let last: Told["last"] = null;
  const timeout = AbortSignal.timeout(limit);
  const listen = (event: CellEvent): void => {
    onEvent(event);
    if (event.type === "result") results.push(event.result);
    else if (event.type === "at") last = event.contender;
    else if (event.type === "done") done = event;
  };
  const ended = await run(job, listen, AbortSignal.any([signal, timeout]));
  const cause = timeout.aborted ? `took longer than ${limit / 1000} s` : ended;
  return { results, done, last, cause: done === null ? (cause ?? "it ended without a result") : null };
}

/**
 * Measures one op in processes of its own. A contender that ends the process is named with its cause, and the others are measured without it.
 *
 * @returns null where it was interrupted
 */
export async function measureCell(given: Attempt, provenance: Provenance): Promise<CellRecord | null> {
  const load = loadavg()[0] ?? 0;
  const when = new Date().toISOString();
  const failed: ContenderResult[] = [];
  let { contenders } = given.job;
  for (;;) {
    const { results, done, last, cause } = await attempt({ ...given, job: { ...given.job, contenders } });
    if (given.signal.aborted) return null;
    if (done === null && last !== null && last !== "ceilings" && contenders.length > 1) {
      failed.push({ id: last, version: "", status: "failed", cause: cause ?? "" });
      contenders = contenders.filter((id) => id !== last);
      continue;
    }
    const lost =
      done === null ? contenders.map((id) => ({ id, version: "", status: "failed", cause: cause ?? "" }) as const) : [];
    return {
      op: given.job.op,
      provenance,
      when,
      load: load / availableParallelism(),
      rounds: given.job.rounds,
      flops: done?.flops ?? null,
      bytes: done?.bytes ?? null,
      ceilings: done?.ceilings ?? null,
      contenders: [...(done ? results : []), ...failed, ...lost],
      checked: done?.checked ?? "",
      counts: done?.counts ?? null,
      peakBytes: done?.peakBytes ?? 0,
      before: done?.before ?? null,
    };
  }
}
