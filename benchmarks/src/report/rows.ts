import { CONTENDERS, type ContenderId } from "../contenders/contender.ts";
import { median, type Ratio, ratioOfMedians } from "../measure/statistics.ts";
import { catalog } from "../ops/catalog.ts";
import type { CellRecord } from "../record/cell-record.ts";
import { rateOf, resultOf, timesOf } from "../record/read-record.ts";

/** A contender in a row of the report. */
export interface Cell {
  readonly id: ContenderId;
  /** Median, ms; null where it was not timed. */
  readonly ms: number | null;
  /** Its time over ours. */
  readonly ratio: Ratio | null;
  readonly cold: number | null;
  /** Why there is no time, in a word: "wrong", "failed"; "" where it has no such op. */
  readonly mark: string;
}

/** One op of the report. */
export interface Row {
  readonly record: CellRecord;
  readonly title: string;
  /** What ours does in a second: "28.1 GFLOP/s". */
  readonly rate: string;
  /** Share of the ceiling that limits the op, 0 to 1; null where neither does. */
  readonly share: number | null;
  readonly cells: readonly Cell[];
}

export const titleOf = (op: string): string => catalog.find(({ id }) => id === op)?.title ?? op;

function cellOf(record: CellRecord, id: ContenderId): Cell {
  const times = timesOf(record, id);
  const ours = timesOf(record, "ours");
  const result = resultOf(record, id);
  const cold = result?.status === "timed" || result?.status === "wrong" ? result.cold : null;
  const mark = result?.status === "wrong" || result?.status === "failed" ? result.status : "";
  return {
    id,
    ms: times && median(times),
    ratio: times && ours && id !== "ours" ? ratioOfMedians(times, ours) : null,
    cold,
    mark,
  };
}

/** Contenders with a column: whoever took part, but for the forward pass, which other rows are measured with. */
export const shownIn = (rows: readonly Row[]): readonly ContenderId[] =>
  CONTENDERS.filter((id) => id !== "forward" && rows.some(({ record }) => resultOf(record, id) !== null));

/** A share as a percentage; "" for none. */
export const percentage = (share: number | null): string => (share === null ? "" : `${Math.round(100 * share)} %`);

/** A number with three digits that count. */
export const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** What a contender does in a second, and its share of the ceiling that limits the op. */
export function speed(record: CellRecord, id: ContenderId): Pick<Row, "rate" | "share"> {
  const times = timesOf(record, id);
  const { flops, bytes, ceilings } = record;
  if (!times || (flops === null && bytes === null)) return { rate: "", share: null };
  const [amount, unit, ceiling] =
    flops !== null ? [flops, "GFLOP/s", ceilings?.fma] : [bytes ?? 0, "GB/s", ceilings?.copy];
  const rate = amount / median(times) / 1e6;
  return { rate: `${digits(rate)} ${unit}`, share: ceiling ? rate / rateOf(ceiling) : null };
}

/** Rows in the catalog's order. */
export function rowsOf(records: readonly CellRecord[]): Row[] {
  const place = (op: string): number => catalog.findIndex(({ id }) => id === op);
  return records
    .toSorted((a, b) => place(a.op) - place(b.op))
    .map((record) => ({
      record,
      title: titleOf(record.op),
      ...speed(record, "ours"),
      cells: CONTENDERS.map((id) => cellOf(record, id)),
    }));
}
