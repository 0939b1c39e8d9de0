import type { Node } from "../graph/node.ts";

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

/** Several kernels may each repeat this node: nothing is lost where it is a cheap function of what lies in memory. */
const isRepeatable = (node: Node, inlined: readonly boolean[]): boolean =>
  node.op?.kind === "elementwise" &&
  node.op.cheap &&
  node.inputs.every((n) => !inlined[n.index] || n.op?.kind === "const");

/**
 * Chooses what fuses. A fusible node joins the one kernel that reads it: an elementwise kernel, the prologue of a reduction, or one piece of
 * a concatenation. With several readers it gets a buffer of its own, unless it is cheap to repeat.
 *
 * @param order topological, `index` set, duplicates merged
 */
export function chooseFusion(order: readonly Node[], roots: ReadonlySet<Node>): Fusion {
  const inlined = new Array<boolean>(order.length).fill(false);
  const users: [Node, number][][] = order.map(() => []);
  for (const node of order) node.inputs.forEach((input, k) => users[input.index]?.push([node, k]));

  // kernels that would hold the node's expression; null: some reader needs it in memory
  const owners: (ReadonlySet<number> | null)[] = new Array<ReadonlySet<number> | null>(order.length).fill(null);
  // ops between the node and the result of its kernel
  const depth = new Array<number>(order.length).fill(0);
  const ownersThrough = (user: Node, k: number): ReadonlySet<number> | null => {
    switch (user.op?.kind) {
      case "elementwise":
        return inlined[user.index] ? (owners[user.index] ?? null) : new Set([user.index]);
      case "reduce":
        return new Set([user.index]);
      case "concat":
        return new Set([-1 - (user.index * 64 + (k % 64))]);
      case "movement":
        return user.op.linear ? (owners[user.index] ?? null) : null;
      default:
        return null;
    }
  };

  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] as Node; // at is a valid index
    const linear = node.op?.kind === "movement" && node.op.linear;
    if (!isFusible(node) && !linear) continue;
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
    owners[at] = merged;
    depth[at] = deepest;
    if (linear) continue;
    inlined[at] = merged.size === 1 || (isRepeatable(node, inlined) && merged.size <= 4);
    if (inlined[at]) continue;
    owners[at] = null;
    depth[at] = 0;
  }

  // a repeatable node was judged before its inputs: where one of them fused after all, it would be computed many times
  for (const node of order)
    if (inlined[node.index] && (owners[node.index]?.size ?? 0) > 1 && !isRepeatable(node, inlined))
      inlined[node.index] = false;
  return { inlined };
}
