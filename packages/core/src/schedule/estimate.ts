import { storedBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { topologicalOrder, type Node } from "../graph/node.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import { mergeDuplicates } from "./merge.ts";
import { planGraph } from "./planner.ts";

/** A kernel that an adapter could not run, and why. */
export interface Refusal {
  /** The kernel, and the module it works for. */
  readonly label: string;
  /** Bytes of the buffer, or part of one, that it would have to bind. */
  readonly bytes: number;
}

/** What realising tensors would cost; nothing is allocated or run to find out. */
export interface Estimate {
  /** Additions and multiplications of products, convolutions and attention, by op. */
  readonly flops: Readonly<Record<string, number>>;
  /** Kernels. */
  readonly dispatches: number;
  /** What is there before: inputs, constants, and parameters that are not resident anyway. */
  readonly leafBytes: number;
  /** What lives while it runs, by the planner's own lifetimes. */
  readonly temporaryBytes: number;
  /** What is there afterwards. */
  readonly resultBytes: number;
  /** Largest buffer of all. */
  readonly largestBytes: number;
  /** Kernels that would have to bind more than the adapter does. */
  readonly refused: readonly Refusal[];
}

/** What WebGPU grants on a usual graphics card: to plan for one without having it. */
export const desktopTraits: DeviceTraits = {
  software: false,
  subgroups: true,
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  f16: true,
  maxWorkgroupSize: 256,
  maxWorkgroupStorage: 32_768,
  maxStorageBinding: 2 ** 31 - 4,
  maxStorageBuffers: 10,
};

const bytesOf = (node: Node): number => storedBytes(sizeOf(node.shape), node.dtype);

/**
 * Plans what realising tensors would do on an adapter, as `realize` does, and adds it up. With meta tensors for parameters and inputs it takes
 * no memory but the graph's own.
 *
 * @param options.resident tensors that are there anyway and are counted elsewhere, such as all parameters of a network
 * @throws DeviceError where the planner itself refuses
 */
export function estimate(
  tensors: readonly { readonly node: Node }[],
  traits: DeviceTraits,
  { resident = [] }: { readonly resident?: Iterable<{ readonly node: Node }> } = {},
): Estimate {
  const roots = tensors.map(({ node }) => node);
  const order = topologicalOrder(roots);
  const counted = new Set([...resident].map(({ node }) => node));
  const leafBytes = order.reduce((sum, node) => sum + (node.op === null && !counted.has(node) ? bytesOf(node) : 0), 0);
  const spec = planGraph(order, roots, traits);
  const refused = new Map<string, Refusal>();
  let largestBytes = Math.max(0, ...spec.slots);
  for (const { label, scope, values, windows } of spec.steps)
    for (const [i, value] of values.entries()) {
      const bytes = windows[i]?.bytes ?? value.bytes;
      largestBytes = Math.max(largestBytes, value.bytes);
      const name = scope === "" ? label : `${label} of ${scope}`;
      if (bytes > traits.maxStorageBinding && bytes > (refused.get(name)?.bytes ?? 0))
        refused.set(name, { label: name, bytes });
    }
  return {
    flops: flopsOf(roots),
    dispatches: spec.steps.length,
    leafBytes,
    temporaryBytes: spec.slots.reduce((sum, bytes) => sum + bytes, 0),
    resultBytes: roots.reduce((sum, root) => sum + bytesOf(root), 0),
    largestBytes,
    refused: [...refused.values()],
  };
}

function flopsOf(roots: readonly Node[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op, inputs, attrs } of mergeDuplicates(topologicalOrder(roots), roots).order) {
    if (op?.kind !== "kernel" || !op.flops) continue;
    counts[op.name] = (counts[op.name] ?? 0) + op.flops(inputs, attrs);
  }
  return counts;
}
