import { storedBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { contiguousView } from "../base/view.ts";
import { Node } from "../graph/node.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import type { KernelInput, KernelOp, Separation } from "../primitives/op.ts";
import { expand, pick } from "../primitives/structural.ts";
import { bytesOf, joined, part, pieces, summed } from "./split.ts";

/**
 * The outputs of a kernel whose tensors are too large for one binding, each put together from those of several kernels; null where none is too
 * large, or where the work cannot be separated.
 */
export function splitKernel(node: Node, traits: DeviceTraits): readonly Node[] | null {
  const op = node.op as KernelOp; // callers pass kernel nodes
  const ways = op.separable?.(node.attrs, node.inputs.length) ?? [];
  const limit = traits.maxStorageBinding;
  const inputBytes = node.inputs.map(bytesOf);
  const described = describe(node.inputs);
  const outputs = op.outputs(described, node.attrs);
  const outputBytes = outputs.map(({ shape, dtype }) => storedBytes(sizeOf(shape), dtype));
  const visible = Math.max(0, ...inputBytes, ...outputBytes);
  if (ways.length === 0 || 2 * visible <= limit) return null;
  const scratch = op.program(described, node.attrs, traits).scratch;
  const largest = Math.max(visible, ...scratch);
  if (largest <= limit) return null;

  const lengthOf = ({ inputs }: Separation): number => node.inputs[0]?.shape[inputs[0] ?? -1] ?? 0;
  /** Bytes of the largest tensor that stays whole. */
  const left = (way: Separation): number =>
    Math.max(
      0,
      ...node.inputs.map((x, i) => (isCut(x, way.inputs[i] ?? null) ? 0 : (inputBytes[i] ?? 0))),
      ...outputBytes.map((bytes, i) => (way.outputs[i] === "sum" ? bytes : 0)),
    );
  const possible = ways.filter((way) => lengthOf(way) > 1);
  // what no way makes small enough is not worth a kernel an element
  const least = (bytes: number, cut: (way: Separation) => boolean): number =>
    possible.filter(cut).reduce((rest, way) => rest / lengthOf(way), bytes);
  const hopeless =
    node.inputs.some((x, i) => least(inputBytes[i] ?? 0, (way) => isCut(x, way.inputs[i] ?? null)) > limit) ||
    outputBytes.some((bytes, i) => least(bytes, (way) => way.outputs[i] !== "sum") > limit);
  if (hopeless) return null;
  const way = possible.find((w) => left(w) <= limit) ?? possible[0];
  if (!way) return null;

  const parts: (readonly Node[])[] = [];
  for (const [start, end] of pieces(lengthOf(way), largest, limit)) {
    const own = node.inputs.map((x, i) => partOf(x, way.inputs[i] ?? null, start, end));
    const outputAxis = way.outputs[0];
    const shape = node.shape.map((n, axis) => (axis === outputAxis ? end - start : n));
    const piece = new Node(op, own, node.attrs, shape, node.dtype);
    parts.push(splitKernel(piece, traits) ?? outputsOf(piece, op));
  }
  return outputs.map(({ shape }, i) => {
    const own = parts.flatMap((outs) => outs[i] ?? []);
    const axis = way.outputs[i] ?? 0;
    return axis === "sum" ? summed(own) : joined(own, axis, shape, limit);
  });
}

const describe = (inputs: readonly Node[]): KernelInput[] =>
  inputs.map(({ shape, dtype }) => ({ ...contiguousView(shape), dtype }));

const isCut = (x: Node, axis: number | null): boolean =>
  axis !== null && !(x.op === expand && x.inputs[0]?.shape[axis] === 1);

const partOf = (x: Node, axis: number | null, start: number, end: number): Node =>
  axis === null ? x : part(x, axis, start, end);

function outputsOf(node: Node, op: KernelOp): readonly Node[] {
  const outputs = op.outputs(describe(node.inputs), node.attrs);
  if (outputs.length === 1) return [node];
  return outputs.map(({ shape, dtype }, i) => new Node(pick, [node], [i], shape, dtype));
}
