import { getDevice } from "../runtime/device.ts";
import type { Tensor } from "./tensor.ts";

/** Something with named tensors, such as a `Module`. */
export interface TensorTree {
  /** The tensors with their paths, names joined by dots. */
  namedParameters(): Iterable<readonly [string, Tensor]>;
}

/** Device memory, in bytes. */
export class MemoryReport {
  /** In buffers that tensors and plans hold. */
  readonly live: number;
  /** In buffers that wait for reuse. */
  readonly pooled: number;
  /** The most that both ever took. */
  readonly peak: number;
  /** What they may take. */
  readonly budget: number;
  /** Of the tensors of each path of the tree and of all below it, in order of declaration; tensors that are not on the device count 0. */
  readonly byPath: ReadonlyMap<string, number>;

  constructor(values: {
    readonly live: number;
    readonly pooled: number;
    readonly peak: number;
    readonly budget: number;
    readonly byPath: ReadonlyMap<string, number>;
  }) {
    this.live = values.live;
    this.pooled = values.pooled;
    this.peak = values.peak;
    this.budget = values.budget;
    this.byPath = values.byPath;
  }

  /** A table, with paths of up to `depth` names. */
  toString(depth = 2): string {
    const { live, pooled, peak, budget } = this;
    const parts = [...this.byPath].filter(([path]) => path.split(".").length <= depth);
    const rows: [string, number][] = [["live", live], ["pooled", pooled], ["peak", peak], ["budget", budget], ...parts];
    const width = rows.reduce((w, [name]) => Math.max(w, name.length), 0);
    return rows.map(([name, bytes]) => `${name.padEnd(width)} ${mebibytes(bytes).padStart(12)}`).join("\n");
  }
}

const mebibytes = (bytes: number): string => (bytes === Infinity ? "no bound" : `${(bytes / 2 ** 20).toFixed(2)} MiB`);

/**
 * What the device's buffers hold now.
 *
 * @param tree whose tensors are added up by path: a model, for instance
 */
export async function memory(tree?: TensorTree): Promise<MemoryReport> {
  const { liveBytes, pooledBytes, peakBytes, budget } = (await getDevice()).pool;
  const byPath = new Map<string, number>();
  const seen = new Set<unknown>();
  for (const [name, { node }] of tree?.namedParameters() ?? []) {
    const storage = node.source?.kind === "device" ? node.source.storage : null;
    const bytes = storage && !seen.has(storage) ? storage.bytes : 0;
    seen.add(storage);
    const names = name.split(".");
    names.forEach((_, i) => {
      const path = names.slice(0, i + 1).join(".");
      byPath.set(path, (byPath.get(path) ?? 0) + bytes);
    });
  }
  return new MemoryReport({ live: liveBytes, pooled: pooledBytes, peak: peakBytes, budget, byPath });
}
