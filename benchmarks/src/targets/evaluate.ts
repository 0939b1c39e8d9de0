import { GPU_PEERS, contenderTitles } from "../contenders/contender.ts";
import { median, ratioOfMedians } from "../measure/statistics.ts";
import type { CellRecord } from "../record/cell-record.ts";
import { timesOf } from "../record/read-record.ts";
import type { Rule, Target } from "./target.ts";

/** What became of one rule for one op. */
export interface Verdict {
  readonly target: string;
  readonly op: string;
  /** "≥ 4× tfjs-webgpu" */
  readonly asked: string;
  /** "3.2×", or why there is none. */
  readonly got: string;
  readonly status: "met" | "missed" | "not measured";
  /** By how much it was missed: "20 % short"; "" otherwise. */
  readonly by: string;
}

/** A number that must reach, or must not pass, another; null where nothing can be said. */
interface Finding {
  readonly asked: string;
  readonly got: number | null;
  readonly shown: string;
  readonly wanted: number;
  readonly direction: "at least" | "at most";
}

const TITLES = {
  dispatches: "dispatches",
  submits: "submits",
  buffers: "new buffers",
  bindGroups: "new bind groups",
  pipelines: "new pipelines",
} as const;

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const NOT = "not measured";

/** Raw kernels faster than this are all launch cost. */
const RAW_MS = 5;

function find(rule: Rule, record: CellRecord): Finding {
  const ours = timesOf(record, "ours");
  switch (rule.kind) {
    case "times faster": {
      const peers = rule.than === "best peer" ? GPU_PEERS : [rule.than];
      const ratios = peers.flatMap((id) => {
        const theirs = timesOf(record, id);
        return theirs && ours ? [ratioOfMedians(theirs, ours).value] : [];
      });
      const got = ratios.length > 0 ? Math.min(...ratios) : null;
      const name = rule.than === "best peer" ? "the best peer" : contenderTitles[rule.than];
      const shown = got === null ? whyNot(record, rule.than) : `${got.toFixed(2)}×`;
      return { asked: `≥ ${rule.atLeast}× ${name}`, got, shown, wanted: rule.atLeast, direction: "at least" };
    }
    case "share of": {
      const ceiling = record.ceilings?.[rule.ceiling];
      const amount = rule.ceiling === "fma" ? record.flops : record.bytes;
      const got =
        ceiling && ours && amount !== null ? amount / median(ours) / (ceiling.amount / median(ceiling.times)) : null;
      const name = rule.ceiling === "fma" ? "the FMA ceiling" : "the copy ceiling";
      const shown = got === null ? NOT : percent(got);
      return {
        asked: `≥ ${percent(rule.atLeast)} of ${name}`,
        got,
        shown,
        wanted: rule.atLeast,
        direction: "at least",
      };
    }
    case "share of raw": {
      const raw = timesOf(record, "raw");
      const long = raw !== null && median(raw) >= RAW_MS;
      const got = long && ours ? ratioOfMedians(raw, ours).value : null;
      const shown = got !== null ? percent(got) : raw ? `raw takes less than ${RAW_MS} ms` : NOT;
      return {
        asked: `≥ ${percent(rule.atLeast)} of raw WGSL's speed`,
        got,
        shown,
        wanted: rule.atLeast,
        direction: "at least",
      };
    }
    case "at most": {
      const got = record.counts?.[rule.what] ?? null;
      const shown = got === null ? NOT : String(got);
      return { asked: `≤ ${rule.count} ${TITLES[rule.what]}`, got, shown, wanted: rule.count, direction: "at most" };
    }
    case "time": {
      const got = ours && median(ours);
      const shown = got === null ? NOT : `${got.toFixed(2)} ms`;
      return { asked: `≤ ${rule.atMost} ms`, got, shown, wanted: rule.atMost, direction: "at most" };
    }
    case "cold": {
      const result = record.contenders.find(({ id }) => id === "ours");
      const got = result?.status === "timed" ? result.cold : null;
      const shown = got === null ? NOT : `${got.toFixed(0)} ms`;
      return { asked: `first call ≤ ${rule.atMost} ms`, got, shown, wanted: rule.atMost, direction: "at most" };
    }
    case "backward": {
      const forward = timesOf(record, "forward");
      const got = forward && ours ? ratioOfMedians(ours, forward).value - 1 : null;
      const shown = got === null ? NOT : `${got.toFixed(2)}×`;
      return { asked: `≤ ${rule.atMost}× the forward pass`, got, shown, wanted: rule.atMost, direction: "at most" };
    }
  }
}

/** Why there is no ratio to a contender. */
function whyNot({ contenders }: CellRecord, id: string): string {
  const result = contenders.find((one) => one.id === id);
  if (result?.status === "wrong") return "its answer is wrong";
  if (result?.status === "failed") return "it failed";
  return result?.status === "absent" ? "it has no such op" : NOT;
}

function judge(target: string, op: string, { asked, got, shown, wanted, direction }: Finding): Verdict {
  const base = { target, op, asked, got: shown };
  if (got === null) return { ...base, status: "not measured", by: "" };
  const met = direction === "at least" ? got >= wanted : got <= wanted;
  if (met) return { ...base, status: "met", by: "" };
  if (wanted === 0) return { ...base, status: "missed", by: `${got} too many` };
  const by = direction === "at least" ? `${percent(1 - got / wanted)} short` : `${percent(got / wanted - 1)} over`;
  return { ...base, status: "missed", by };
}

/** Holds the records of one adapter against the targets for it, in the targets' order. */
export function evaluate(
  targets: readonly Target[],
  records: readonly CellRecord[],
  titleOf: (op: string) => string,
): Verdict[] {
  return targets.flatMap(({ title, adapters, ops, rules }) =>
    ops.flatMap((op) => {
      const record = records.find((one) => one.op === op && adapters.includes(one.provenance.adapterKind));
      return record ? rules.map((rule) => judge(title, titleOf(op), find(rule, record))) : [];
    }),
  );
}
