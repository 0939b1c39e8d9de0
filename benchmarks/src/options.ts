import { parseArgs } from "node:util";
import { CONTENDERS, type ContenderId } from "./contenders/contender.ts";
import { ADAPTER_CHOICES, type AdapterChoice } from "./host/adapters.ts";
import { type BenchOp, catalog } from "./ops/catalog.ts";
import { type Runtime, RUNTIMES } from "./record/cell-record.ts";

/** What a run measures, and how. */
export interface BenchOptions {
  readonly ops: readonly BenchOp[];
  readonly contenders: readonly ContenderId[];
  readonly runtimes: readonly Runtime[];
  readonly adapters: readonly AdapterChoice[];
  readonly rounds: number;
  /** Seconds for an op's rounds. */
  readonly seconds: number;
  readonly sizes: "full" | "tiny";
  readonly resume: boolean;
  readonly json: boolean;
  /** A commit whose @omni/core takes part beside today's. */
  readonly before: string | null;
  readonly out: string;
}

/** A command line that cannot be carried out. */
export class UsageError extends Error {}

/** Always there: ours, and with it its forward pass. */
const OURS: readonly ContenderId[] = ["ours", "forward"];

/** Contenders of `--peers`. */
const PEERS: readonly ContenderId[] = CONTENDERS.filter((id) => !OURS.includes(id) && id !== "before");

const FULL = { rounds: 15, seconds: 120 };
const QUICK = { rounds: 3, seconds: 20 };
const REPORT = "benchmarks/report";
const SCRATCH = "out/bench";

export const help = `npm run bench -- [options]

Measures @omni/core through its public API beside other libraries on the same adapter. Each op runs in a process of its own: answers are
checked in float64, then those that are right are timed in interleaved rounds, every second one backwards, together with what the adapter
multiplies and copies at most. Prints a Markdown table; writes results.jsonl, report.md and report.html (self-contained, with charts).

  --ops A,B,…        ops, or parts of their names (default: all; --list prints them)
  --peers A,B,…      ${PEERS.join(", ")} (default: all), or none
  --runtimes A,B,…   ${RUNTIMES.join(", ")} (default: node); Deno and Bun are fetched once
  --adapter A,B,…    ${ADAPTER_CHOICES.join(", ")} (default: auto, what core finds by itself)
  --before COMMIT    beside @omni/core as it was at a commit, in the same rounds; in Node alone
  --rounds N         timed rounds (default ${FULL.rounds})
  --seconds N        time for an op's rounds, of which there are at least three (default ${FULL.seconds})
  --quick            ${QUICK.rounds} rounds of at most ${QUICK.seconds} s: a first look
  --tiny             sizes shrunk to nothing: tries the harness out, says nothing of speed
  --resume           go on where an interrupted run of the same commit, adapter and versions ended
  --json             print the records as lines of JSON in place of the table
  --out DIR          where results and report go (default ${REPORT}; ${SCRATCH} where the run is partial, quick or tiny)
  --list             the ops
  --help             this

Ctrl-C keeps the ops that are finished. The report of this repository, and other runtimes added to it:

  npm run bench -- --adapter lavapipe,swiftshader
  npm run bench -- --adapter lavapipe,swiftshader --runtimes chromium,deno,bun --peers tfjs,jax --out benchmarks/report --resume

Exit code 0: measured, whatever fared how; 1: ours gave a wrong answer or failed somewhere, or nothing could start; 2: bad usage; 130: interrupted.`;

function listed<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  return text.split(",").map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new UsageError(`bench: --${option} must be among ${known.join(", ")}, got ${name}`);
    return found;
  });
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`bench: --${option} must be a whole number of at least 1, got ${text}`);
  return value;
}

/** Ops whose id or title holds one of the texts. */
function chosenOps(text: string | undefined): readonly BenchOp[] {
  if (text === undefined) return catalog;
  const wanted = text.split(",").map((part) => part.trim().toLowerCase());
  const missing = wanted.find((part) => !catalog.some((op) => matches(op, part)));
  if (missing !== undefined) throw new UsageError(`bench: --ops must name ops of --list, got ${missing}`);
  return catalog.filter((op) => wanted.some((part) => matches(op, part)));
}

const matches = ({ id, title }: BenchOp, part: string): boolean =>
  id.includes(part) || title.toLowerCase().includes(part);

/**
 * Options of a command line.
 *
 * @returns "help" or "list" where only that is asked for
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): BenchOptions | "help" | "list" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parsed({
    args: [...args],
    options: {
      ops: text,
      peers: text,
      runtimes: text,
      adapter: text,
      rounds: text,
      seconds: text,
      out: text,
      before: text,
      quick: flag,
      tiny: flag,
      resume: flag,
      json: flag,
      list: flag,
      help: flag,
    },
  });
  if (values.help) return "help";
  if (values.list) return "list";
  const usual = values.quick || values.tiny ? QUICK : FULL;
  const peers =
    values.peers === "none" ? [] : values.peers === undefined ? PEERS : listed("peers", values.peers, PEERS);
  const runtimes = listed("runtimes", values.runtimes ?? "node", RUNTIMES);
  if (values.before !== undefined && runtimes.some((runtime) => runtime !== "node"))
    throw new UsageError("bench: --before must go with --runtimes node: an earlier commit runs from its sources");
  const entered: readonly ContenderId[] = [
    ...OURS,
    ...(values.before === undefined ? [] : ["before" as const]),
    ...peers,
  ];
  const partial = values.quick || values.tiny || values.ops !== undefined || values.peers !== undefined;
  return {
    ops: chosenOps(values.ops),
    contenders: CONTENDERS.filter((id) => entered.includes(id)),
    runtimes,
    adapters: listed("adapter", values.adapter ?? "auto", ADAPTER_CHOICES),
    rounds: values.rounds === undefined ? usual.rounds : count("rounds", values.rounds),
    seconds: values.seconds === undefined ? usual.seconds : count("seconds", values.seconds),
    sizes: values.tiny ? "tiny" : "full",
    resume: values.resume,
    json: values.json,
    before: values.before ?? null,
    out: values.out ?? (partial ? SCRATCH : REPORT),
  };
}

const parsed: typeof parseArgs = (config) => {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(`bench: ${error instanceof Error ? error.message : String(error)}; see --help`);
  }
};
