import { median } from "../measure/statistics.ts";
import type { CellRecord, Provenance } from "../record/cell-record.ts";
import { rateOf } from "../record/read-record.ts";
import { evaluate, type Verdict } from "../targets/evaluate.ts";
import { targets } from "../targets/table.ts";
import { type Row, rowsOf, titleOf } from "./rows.ts";

/** Everything measured in one place: a runtime with an adapter. */
export interface Section {
  readonly title: string;
  readonly provenance: Provenance;
  /** Medians over all ops' processes. */
  readonly ceilings: { readonly fma: number; readonly copy: number } | null;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** Who failed or was wrong, and why. */
  readonly incidents: readonly string[];
  /** Largest load of the machine when an op began, as a share of its cores. */
  readonly load: number;
}

export const RUNTIME_TITLES = { node: "Node", chromium: "Chromium", deno: "Deno", bun: "Bun" } as const;

const placeOf = ({ runtime, runtimeVersion, adapter }: Provenance): string =>
  `${RUNTIME_TITLES[runtime]} ${runtimeVersion}, ${adapter}`;

function incidentsOf({ record, title }: Row): string[] {
  return record.contenders.flatMap((result) => {
    if (result.status === "failed") return [`${title}: ${result.id} failed: ${result.cause}`];
    if (result.status !== "wrong") return [];
    const size = Number.isFinite(result.error) ? result.error.toExponential(1) : "not finite";
    return [`${title}: ${result.id} gives a wrong answer, relative error ${size}`];
  });
}

/** Targets are set for Node, and for the sizes of the catalog. */
const isJudged = ({ runtime, sizes }: Provenance): boolean => runtime === "node" && sizes === "full";

function sectionOf(records: readonly CellRecord[]): Section | null {
  const [first] = records;
  if (!first) return null;
  const rows = rowsOf(records);
  const measured = records.flatMap(({ ceilings }) => (ceilings ? [ceilings] : []));
  return {
    title: placeOf(first.provenance),
    provenance: first.provenance,
    ceilings:
      measured.length > 0
        ? {
            fma: median(measured.map(({ fma }) => rateOf(fma))),
            copy: median(measured.map(({ copy }) => rateOf(copy))),
          }
        : null,
    rows,
    verdicts: isJudged(first.provenance) ? evaluate(targets, records, titleOf) : [],
    incidents: rows.flatMap(incidentsOf),
    load: Math.max(...records.map(({ load }) => load)),
  };
}

/** The records by place, in the order in which places were first measured; of an op measured twice, the last. */
export function sectionsOf(records: readonly CellRecord[]): Section[] {
  const places = new Map<string, Map<string, CellRecord>>();
  for (const record of records) {
    const place = placeOf(record.provenance);
    const ops = places.get(place) ?? new Map<string, CellRecord>();
    places.set(place, ops.set(record.op, record));
  }
  return [...places.values()].flatMap((ops) => sectionOf([...ops.values()]) ?? []);
}
