import { variable } from "#gpu";
import { OmniError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { Node, topologicalOrder } from "../graph/node.ts";
import { within } from "../graph/scope.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import { lowerGraph } from "./lower.ts";

let on = variable("OMNI_EAGER") === "1";

/** Whether each op is run by itself: `setEager(true)`, or OMNI_EAGER=1 in Node. */
export const isEager = (): boolean => on;

/**
 * Runs each op by itself from now on, and waits for it: slow, but what fails or first gives NaN is named, with its shapes and its module.
 * Results may differ in their last bits from those of fused kernels.
 */
export function setEager(value: boolean): void {
  on = value;
}

/** Ops that only tell others where to read: they are planned with their reader. */
const FREE = new Set(["movement", "const", "iota"]);

/** What the device does for eager mode. */
export interface EagerDevice {
  /** Runs the nodes in one plan and waits for it: they become leaves. */
  readonly run: (nodes: readonly Node[]) => Promise<void>;
  readonly hasNaN: (leaf: Node) => Promise<boolean>;
}

const describe = ({ op, inputs, dtype, shape, scope }: Node): string => {
  const operands = inputs.map((n) => `${n.dtype} ${formatShape(n.shape)}`).join(", ");
  return `${op?.name ?? "leaf"}(${operands}) → ${dtype} ${formatShape(shape)}${scope === "" ? "" : ` in ${scope}`}`;
};

/**
 * Realises copies of the nodes one by one, updates last: the graph given stays as it was.
 *
 * @returns the copies of the roots, as leaves
 * @throws OmniError naming the op that failed
 */
export async function runEagerly(
  roots: readonly Node[],
  traits: DeviceTraits,
  { run, hasNaN }: EagerDevice,
): Promise<Node[]> {
  const lowered = lowerGraph(topologicalOrder(roots), roots, traits);
  const wanted = new Set(lowered.roots);
  // a kernel with several outputs runs with the one that is picked
  const picked = new Set(lowered.order.filter((n) => n.op?.kind === "pick").flatMap((n) => n.inputs));
  const copies = new Map<Node, Node>();
  const spoilt = new Set<Node>();
  const updates: Node[] = [];
  const attempt = async (what: string, nodes: readonly Node[]): Promise<void> => {
    try {
      await run(nodes);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new OmniError(`eager: ${what} failed: ${message}`, { cause });
    }
  };
  for (const node of lowered.order) {
    const { op } = node;
    if (op === null) continue;
    const inputs = node.inputs.map((n) => copies.get(n) ?? n);
    const copy = within(node.scope, () => new Node(op, inputs, node.attrs, node.shape, node.dtype));
    copies.set(node, copy);
    if (op.kind === "update") updates.push(copy);
    else if (wanted.has(node) || !(FREE.has(op.kind) || picked.has(node))) {
      await attempt(describe(node), [copy]);
      if (!(await hasNaN(copy))) continue;
      if (!node.inputs.some((n) => spoilt.has(n))) console.warn(`eager: the first NaN comes from ${describe(node)}`);
      spoilt.add(node);
    } else if (node.inputs.some((n) => spoilt.has(n))) spoilt.add(node);
  }
  if (updates.length > 0) await attempt(updates.map(describe).join("; "), updates);
  const results = lowered.roots.map((root) => copies.get(root) ?? root);
  for (const copy of copies.values())
    if (copy.source?.kind === "device" && !results.includes(copy)) copy.source.storage.dispose();
  return results;
}
