import type { ContenderId } from "../contenders/contender.ts";
import { median } from "../measure/statistics.ts";
import type { Ceiling, CellRecord, ContenderResult } from "./cell-record.ts";

export const resultOf = ({ contenders }: CellRecord, id: ContenderId): ContenderResult | null =>
  contenders.find((result) => result.id === id) ?? null;

/** Milliseconds by round of a contender; null where it was not timed. */
export function timesOf(record: CellRecord, id: ContenderId): readonly number[] | null {
  const result = resultOf(record, id);
  return result?.status === "timed" && result.times.length > 0 ? result.times : null;
}

/** Billions a second of what a ceiling counts: GFLOP/s, GB/s. */
export const rateOf = ({ amount, times }: Ceiling): number => amount / median(times) / 1e6;
