import { join, resolve } from "node:path";
import type { CellEvent } from "./cell/events.ts";
import { peerVersions } from "./cell/peers.node.ts";
import { type ContenderId, contenderTitles } from "./contenders/contender.ts";
import { type AdapterChoice, adapterEnvironment, kindOf } from "./host/adapters.ts";
import { chromiumRunner } from "./host/chromium-cell.ts";
import { measureCell } from "./host/measure-cell.ts";
import { checkOut, type Checkout } from "./host/earlier.ts";
import { bundlePeers } from "./host/peer-bundles.ts";
import { ensurePeers } from "./host/peer-install.ts";
import { type CellRunner, processRunner } from "./host/process-cell.ts";
import { commit, machine } from "./host/provenance.ts";
import { ROOT } from "./host/repository.ts";
import type { BenchOp } from "./ops/catalog.ts";
import type { BenchOptions } from "./options.ts";
import type { Provenance, Runtime } from "./record/cell-record.ts";
import { ResultsFile } from "./record/results-file.ts";

/** A place to measure in that could not be had. */
export interface Refusal {
  readonly runtime: Runtime;
  readonly adapter: AdapterChoice;
  readonly cause: string;
}

export interface Measured {
  readonly results: ResultsFile;
  readonly refusals: readonly Refusal[];
}

/** Longest that a cell may take besides its rounds, s: software adapters compile for minutes on a busy machine. */
const SLACK = 1200;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** A runtime with an adapter, ready for cells. */
interface Place {
  readonly run: CellRunner;
  readonly provenance: Provenance;
}

/** @throws Error saying why it cannot be had */
async function openPlace(
  runtime: Runtime,
  choice: AdapterChoice,
  common: Pick<Provenance, "commit" | "machine" | "versions" | "sizes">,
  signal: AbortSignal,
): Promise<Place> {
  const environment = await adapterEnvironment(choice);
  const run =
    runtime === "chromium" ? await chromiumRunner(choice, environment) : await processRunner(runtime, environment);
  let found: Extract<CellEvent, { type: "adapter" }> | null = null;
  const listen = (event: CellEvent): void => {
    if (event.type === "adapter") found = event;
  };
  const cause = await run("probe", listen, signal);
  const adapter = found as Extract<CellEvent, { type: "adapter" }> | null; // set by the listener
  if (adapter === null) throw new Error(cause ?? "it names no adapter");
  const adapterKind = kindOf(adapter.name, adapter.software);
  if (choice !== "auto" && choice !== adapterKind) throw new Error(`it opens ${adapter.name}`);
  return {
    run,
    provenance: { runtime, runtimeVersion: adapter.runtimeVersion, adapter: adapter.name, adapterKind, ...common },
  };
}

/** Ops that make sense on an adapter. */
const fitting = (ops: readonly BenchOp[], { adapterKind }: Provenance): readonly BenchOp[] =>
  ops.filter(({ on }) => on === "every adapter" || adapterKind === "gpu");

/** Contenders of one op. */
const contendersOf = ({ kind }: BenchOp, all: readonly ContenderId[]): readonly ContenderId[] =>
  all.filter((id) => id !== "forward" || kind === "attentionBackward");

/** Measures what is asked for, cell by cell, until it is done or interrupted. */
export async function runBench(options: BenchOptions, signal: AbortSignal): Promise<Measured> {
  const results = new ResultsFile(join(resolve(ROOT, options.out), "results.jsonl"), options);
  const refusal = await ensurePeers();
  if (refusal !== null) say(`The peers cannot be installed: ${refusal}`);
  else for (const platform of ["node", "browser"] as const) await bundlePeers(platform);
  const earlier = options.before === null ? null : await checkOut(options.before);
  const common = {
    commit: commit(),
    machine: machine(),
    versions: { ...peerVersions(), ...(earlier && { before: earlier.commit }) },
    sizes: options.sizes,
  };
  const refusals: Refusal[] = [];
  for (const adapter of options.adapters)
    for (const runtime of options.runtimes) {
      if (signal.aborted) break;
      try {
        const place = await openPlace(runtime, adapter, common, signal);
        say(`${runtime} ${place.provenance.runtimeVersion}, ${place.provenance.adapter}`);
        await measurePlace(place, { ...options, earlier }, results, signal);
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        say(`${runtime}, ${adapter}: ${cause}`);
        refusals.push({ runtime, adapter, cause });
      }
    }
  return { results, refusals };
}

async function measurePlace(
  { run, provenance }: Place,
  { ops, contenders, rounds, seconds, sizes, earlier }: BenchOptions & { readonly earlier: Checkout | null },
  results: ResultsFile,
  signal: AbortSignal,
): Promise<void> {
  const own = fitting(ops, provenance);
  for (const [i, op] of own.entries()) {
    if (signal.aborted) return;
    const asked = { contenders: contendersOf(op, contenders), rounds };
    const title = `  ${i + 1}/${own.length} ${op.title}`;
    if (results.has(op.id, provenance, asked)) {
      say(`${title}: measured already`);
      continue;
    }
    const job = { op: op.id, ...asked, budget: seconds * 1000, sizes, earlier: earlier?.root ?? null };
    const record = await measureCell(
      { run, job, signal, limit: (seconds + SLACK) * 1000, onEvent: progress(title) },
      provenance,
    );
    if (record) results.add(record);
  }
}

/** A line for each contender that is being prepared, on terminals; one for each op elsewhere. */
function progress(title: string): (event: CellEvent) => void {
  if (!process.stderr.isTTY) {
    say(title);
    return () => undefined;
  }
  return (event) => {
    if (event.type === "at") {
      const who = event.contender === "ceilings" ? "ceilings" : contenderTitles[event.contender];
      process.stderr.write(`\r\u001b[K${title}: ${who}, ${event.doing} …`);
    } else if (event.type === "done") process.stderr.write(`\r\u001b[K${title}\n`);
  };
}
