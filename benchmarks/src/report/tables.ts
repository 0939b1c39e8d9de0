import { contenderTitles, GPU_PEERS } from "../contenders/contender.ts";
import { median, ratioOfMedians } from "../measure/statistics.ts";
import { ADAPTER_KINDS } from "../record/cell-record.ts";
import { timesOf } from "../record/read-record.ts";
import type { Verdict } from "../targets/evaluate.ts";
import { digits, percentage, type Row, speed, titleOf } from "./rows.ts";
import { RUNTIME_TITLES, type Section } from "./sections.ts";

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** More than this share of the cores wanted by others makes times doubtful. */
const BUSY = 0.5;

const MIB = 2 ** 20;

/** "5", or "5 to 15". */
function span(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
}

/** Where, when, of what and how a section was measured, line by line. */
export function conditions({ provenance, rows, ceilings, load }: Section): string[] {
  const { machine, versions, sizes } = provenance;
  const commits = [...new Set(rows.map(({ record }) => record.provenance.commit))];
  const dates = rows.map(({ record }) => record.when).toSorted();
  const [from = "", to = ""] = [dates[0]?.slice(0, 10), dates.at(-1)?.slice(0, 10)];
  const rounds = rows.flatMap(({ record }) => timesOf(record, "ours")?.length ?? []);
  const lines = [
    `${machine}. Commit ${commits.join(", ")}, ${from === to ? from : `${from} to ${to}`}.`,
    `Peers: tfjs ${versions["tfjs"] || "none"}, jax-js ${versions["jax"] || "none"}, onnxruntime-node ${versions["ort"] || "none"}.`,
  ];
  if (ceilings)
    lines.push(
      `Ceilings measured in the same rounds: ${digits(ceilings.fma)} GFLOP/s of multiply-adds, ${digits(ceilings.copy)} GB/s of copying.`,
    );
  if (rounds.length > 0)
    lines.push(`Medians of ${span(rounds)} interleaved rounds; answers checked before (relative error at most 1e-4).`);
  if (load > BUSY)
    lines.push(
      `**The machine was busy** (load ${load.toFixed(1)} of its cores when an op began): only ratios mean something.`,
    );
  if (sizes === "tiny")
    lines.push("**Sizes shrunk to nothing**: this tries the harness out and says nothing of speed.");
  return lines;
}

/** Cold calls, errors and what a steady run asks of WebGPU. */
export function fixedCosts(rows: readonly Row[]): Table {
  return {
    header: [
      "op",
      "first call of ours, ms",
      "of peers, ms",
      "relative error",
      "checked against",
      "dispatches",
      "new buffers",
      "bind groups",
      "peak MiB",
    ],
    rows: rows.map(({ title, cells, record }) => {
      const ours = record.contenders.find(({ id }) => id === "ours");
      const others = cells.filter(({ id, cold }) => cold !== null && id !== "ours" && id !== "forward");
      const error =
        ours?.status === "timed" || ours?.status === "wrong" ? ours.error.toExponential(1) : (ours?.status ?? "");
      const { counts } = record;
      return [
        title,
        cells.find(({ id }) => id === "ours")?.cold?.toFixed(0) ?? "–",
        others.map(({ id, cold }) => `${contenderTitles[id]} ${cold?.toFixed(0)}`).join(", "),
        error,
        record.checked,
        ...(counts ? [counts.dispatches, counts.buffers, counts.bindGroups].map(String) : ["–", "–", "–"]),
        (record.peakBytes / MIB).toFixed(1),
      ];
    }),
  };
}

/** Ours beside ours at an earlier commit, where that took part. */
export function againstBefore(rows: readonly Row[]): Table {
  const both = (then: string, now: string): string => `${then} → ${now}`;
  return {
    header: ["before → now", "ms", "times as fast", "rate", "of ceiling", "dispatches", "submits", "peak MiB"],
    rows: rows.flatMap(({ title, cells, rate, share, record }) => {
      const [then, now] = ["before", "ours"].map((id) => cells.find((cell) => cell.id === id));
      const { counts, peakBytes, before } = record;
      if (!then?.ratio || then.ms === null || !now || now.ms === null || !counts || !before) return [];
      const earlier = speed(record, "before");
      return [
        [
          title,
          both(digits(then.ms), digits(now.ms)),
          `${digits(then.ratio.value)}×`,
          both(earlier.rate, rate),
          both(percentage(earlier.share), percentage(share)),
          both(String(before.counts.dispatches), String(counts.dispatches)),
          both(String(before.counts.submits), String(counts.submits)),
          both((before.peakBytes / MIB).toFixed(1), (peakBytes / MIB).toFixed(1)),
        ],
      ];
    }),
  };
}

/** "12 of 20 met, 3 not measured". */
export function summaryOf(verdicts: readonly Verdict[]): string {
  const count = (status: Verdict["status"]): number => verdicts.filter((verdict) => verdict.status === status).length;
  const unknown = count("not measured");
  return `${count("met")} of ${verdicts.length} met, ${count("missed")} missed${unknown > 0 ? `, ${unknown} not measured` : ""}.`;
}

/** Ours by op and runtime on one kind of adapter, with the best peer of the same run. */
export interface RuntimeTable extends Table {
  readonly title: string;
}

function runtimeCell({ rows }: Section, op: string): string {
  const record = rows.find((row) => row.record.op === op)?.record;
  const times = record && timesOf(record, "ours");
  if (!times) return "–";
  const ratios = GPU_PEERS.flatMap((id) => {
    const theirs = timesOf(record, id);
    return theirs ? [ratioOfMedians(theirs, times).value] : [];
  });
  return ratios.length > 0 ? `${digits(median(times))} (${digits(Math.min(...ratios))}×)` : digits(median(times));
}

/** A table for each kind of adapter that several runtimes were measured on. */
export function runtimeTables(sections: readonly Section[]): RuntimeTable[] {
  return ADAPTER_KINDS.flatMap((kind) => {
    const own = sections.filter(({ provenance }) => provenance.adapterKind === kind);
    if (own.length < 2) return [];
    const ops = [...new Set(own.flatMap(({ rows }) => rows.map(({ record }) => record.op)))];
    return [
      {
        title: kind,
        header: [
          "median ms of ours (best peer / ours)",
          ...own.map(({ provenance }) => `${RUNTIME_TITLES[provenance.runtime]} ${provenance.runtimeVersion}`),
        ],
        rows: ops.map((op) => [titleOf(op), ...own.map((section) => runtimeCell(section, op))]),
      },
    ];
  });
}
