import { IN_MEMORY } from "./head-in-memory.ts";
import { IN_REGISTERS } from "./head-in-registers.ts";
import type { HeadOperand, HeadTile, RowSums } from "./head-tile.ts";

/** How a lane holds its own rows and its sums: WGSL for each part of a kernel. */
export interface HeadWork {
  /** Once: this lane's own rows of an operand. */
  readonly own: (head: HeadTile, own: HeadOperand) => string;
  /** Once: sums of zero. */
  readonly zero: (head: HeadTile, sums: RowSums) => string;
  /** A round: its rows of an operand. */
  readonly round: (head: HeadTile, other: HeadOperand) => string;
  /** A round: declares `{name}{row}_{column}`, products of its rows of `other` with this lane's own rows. */
  readonly dot: (head: HeadTile, name: string, other: HeadOperand, own: HeadOperand) => string;
  /** A round: sums · `keep`{column} + Σ its rows of `other` times `weights`{row}_{column}; without `keep` the sums are kept whole. */
  readonly add: (head: HeadTile, sums: RowSums, other: HeadOperand, weights: string, keep?: string) => string;
  /** At last: the sums times `factor(column)` are the result. */
  readonly store: (head: HeadTile, sums: RowSums, factor: (column: number) => string) => string;
}

/** Registers are the faster for heads that are not wide. */
export const headWork = (head: HeadTile): HeadWork => (head.wide ? IN_MEMORY : IN_REGISTERS);
