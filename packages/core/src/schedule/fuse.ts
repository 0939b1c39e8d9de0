import { sizeOf } from "../base/shape.ts";
import type { Node } from "../graph/node.ts";
import { belowLinear, type RowGroup, type RowGroups } from "./row-groups.ts";

/** For each node, by index: whether its expression is part of the kernels that read it. */
export interface Fusion {
  readonly inlined: boolean[];
}

/** Longest chain of ops in one kernel: longer ones take compilers too long, and whoever walks them too deep. */
const MAX_DEPTH = 128;

const isFusible = (node: Node): boolean => {
  const kind = node.op?.kind;
  return kind === "elementwise" || kind === "const" || kind === "iota" || kind === "random" || kind === "pad";
};

/** Several kernels may each repeat this node: nothing is lost where it is a cheap function of what lies in memory anyway. */
const isRepeatable = ({ op, inputs }: Node): boolean =>
  op?.kind === "elementwise" &&
  op.cheap &&
  inputs.every((input) => {
    const below = belowLinear(input);
    return below.op?.kind === "const" || !isFusible(below);
  });

/**
 * Chooses what fuses. A fusible node joins the one kernel that reads it: an elementwise kernel, the prologue of a reduction, the kernel of a row
 * group, or one piece of a concatenation. With several readers it gets a buffer of its own, unless it is cheap to repeat. A kernel that takes an epilogue and
 * has one elementwise kernel as its only reader does that one's work when it stores; of several such kernels the last.
 *
 * @param order topological, `index` set, duplicates merged
 */
export function chooseFusion(order: readonly Node[], roots: ReadonlySet<Node>, rows: RowGroups): Fusion {
  const inlined = new Array<boolean>(order.length).fill(false);
  const users: [Node, number][][] = order.map(() => []);
  for (const node of order) node.inputs.forEach((input, k) => users[input.index]?.push([node, k]));

  // kernels that would hold the node's expression; null: some reader needs it in memory
  const owners: (ReadonlySet<number> | null)[] = new Array<ReadonlySet<number> | null>(order.length).fill(null);
  // ops between the node and the result of its kernel
  const depth = new Array<number>(order.length).fill(0);
  // each kernel has a number: that of its result's node, or of some member
  const groupNumber = new Map<RowGroup, number>();
  const kernelOf = (node: Node): ReadonlySet<number> => {
    const group = rows.of(node);
    const number = (group && groupNumber.get(group)) ?? node.index;
    if (group) groupNumber.set(group, number);
    return new Set([number]);
  };
  const ownersThrough = (user: Node, k: number): ReadonlySet<number> | null => {
    switch (user.op?.kind) {
      case "elementwise":
      case "reduce":
        return inlined[user.index] ? (owners[user.index] ?? null) : kernelOf(user);
      case "concat":
        return new Set([-1 - (user.index * 64 + (k % 64))]);
      case "movement":
        return owners[user.index] ?? null;
      default:
        return null;
    }
  };

  // elementwise kernels that another one does
  const finished = new Set<number>();
  const finishes = (node: Node, readers: ReadonlySet<number>): boolean => {
    const [only = -1, ...more] = readers;
    const reader = order[only];
    if (more.length > 0 || finished.has(only) || reader?.op?.kind !== "elementwise" || rows.of(reader)) return false;
    return reader.dtype === "f32" && sizeOf(reader.shape) === sizeOf(node.shape);
  };

  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] as Node; // at is a valid index
    const linear = node.op?.kind === "movement" && node.op.linear;
    const spread = linear ? null : rows.spreadOf(node);
    const group = rows.of(spread ?? node);
    const reduction = node.op?.kind === "reduce";
    const takesEpilogue = node.op?.kind === "kernel" && node.op.finished !== undefined;
    if (!isFusible(node) && !linear && !spread && !(reduction && group) && !takesEpilogue) continue;
    const merged = new Set<number>();
    let inMemory = roots.has(node);
    let deepest = 0;
    for (const [user, k] of users[at] ?? []) {
      const through = ownersThrough(user, k);
      if (!through) inMemory = true;
      else for (const owner of through) merged.add(owner);
      deepest = Math.max(deepest, 1 + (depth[user.index] ?? 0));
    }
    if (node.op?.kind === "const") {
      inlined[at] = !roots.has(node);
      continue;
    }
    if (inMemory || merged.size === 0 || deepest > MAX_DEPTH) continue;
    if (takesEpilogue) {
      inlined[at] = finishes(node, merged);
      if (inlined[at]) for (const reader of merged) finished.add(reader);
      continue;
    }
    // one number a row is at hand in the kernel of its group alone
    const within = merged.size === 1 && group !== null && merged.has(groupNumber.get(group) ?? -1);
    if ((spread || reduction) && !within) continue;
    owners[at] = merged;
    depth[at] = deepest;
    if (linear || spread) continue;
    inlined[at] = merged.size === 1 || (merged.size <= 4 && isRepeatable(node));
    if (inlined[at]) continue;
    owners[at] = null;
    depth[at] = 0;
  }
  return { inlined };
}
