import { checkpointError, quote } from "./checkpoint-error.ts";

/** How parts under upstream's names make one tensor of ours: their elements one after another, as our shape. */
export interface Join {
  /** The shape of each of the `parts` upstream. */
  readonly theirs: (ours: readonly number[], parts: number) => readonly number[];
  /** Of a single part: upstream's row for a row of ours, where their order differs. It is the inverse of `ours`. */
  readonly rowOf?: (row: number, rows: number) => number;
  /** Our row for a row of upstream's. */
  readonly rowFrom?: (row: number, rows: number) => number;
}

/** One of our tensors, as a pattern, and the upstream tensors that it is made of; `$1` … stand for the pattern's groups. */
export interface KeyRule {
  /** Matches the whole of our name. */
  readonly ours: RegExp;
  /** Upstream's names. */
  readonly theirs: readonly string[];
  /** Default: one after the other along axis 0. */
  readonly join?: Join;
}

/** Where one of our tensors comes from. */
export interface KeySource {
  /** Upstream's names. */
  readonly keys: readonly string[];
  /** How they become ours. */
  readonly join: Join;
}

/** Rows of one tensor after the other's: q, k and v as one projection. */
export const rows: Join = {
  theirs: (ours, parts) => (parts === 1 ? ours : [(ours[0] ?? 0) / parts, ...ours.slice(1)]),
};

/** Vectors of length D → [n, D]. */
export const table: Join = { theirs: (ours) => ours.slice(1) };

/** Without leading axes of size 1: [1, 6, D] → [6, D]. */
export const squeezed: Join = { theirs: (ours) => [1, ...ours] };

/** A convolution over patches as a matrix: [D, C, …kernel] → [D, C · …]. */
export const patches = (...kernel: readonly number[]): Join => ({
  theirs: ([outputs = 0, columns = 0]) => [outputs, columns / kernel.reduce((n, size) => n * size, 1), ...kernel],
});

/** The same elements under another shape upstream. */
export const shaped = (theirs: (ours: readonly number[]) => readonly number[]): Join => ({ theirs });

const halfTurn = (row: number, count: number): number => (row + count / 2) % count;

/** The second half of the rows first: (scale, shift) → (shift, scale). */
export const swapped: Join = { theirs: (ours) => ours, rowOf: halfTurn, rowFrom: halfTurn };

/** Outputs of a patch in the order (y, x, channel) → ours, (channel, y, x), for patches of 2×2. */
export const channelsFirst: Join = {
  theirs: (ours) => ours,
  rowOf: (row, count) => (row % 4) * (count / 4) + Math.floor(row / 4),
  rowFrom: (row, count) => (row % (count / 4)) * 4 + Math.floor(row / (count / 4)),
};

/**
 * Where each of our tensors comes from.
 *
 * @throws CheckpointError when a tensor has no rule
 */
export function keySources(names: Iterable<string>, rules: readonly KeyRule[]): ReadonlyMap<string, KeySource> {
  const sources = new Map<string, KeySource>();
  for (const name of names) {
    const rule = rules.find(({ ours }) => ours.test(name));
    if (!rule)
      throw checkpointError({
        source: "key rules",
        rule: `tensor ${quote(name)} must have a rule`,
        got: "none",
        remedy: "this layout has no place for it",
      });
    sources.set(name, { keys: rule.theirs.map((key) => name.replace(rule.ours, key)), join: rule.join ?? rows });
  }
  return sources;
}
