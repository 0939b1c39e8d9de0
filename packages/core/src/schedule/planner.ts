import { storedBytes, type DType } from "../base/dtype.ts";
import { DeviceError, invariant } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { contiguousView, isContiguous, type View } from "../base/view.ts";
import type { Node } from "../graph/node.ts";
import type { DeviceTraits, Program } from "../kernels/kernel.ts";
import type { KernelInput, KernelOp, UpdateOp } from "../primitives/op.ts";
import type { ReduceOp } from "../primitives/structural.ts";
import { epilogueOf, finishedIn } from "./epilogue.ts";
import type { Resolver, Source } from "./expression.ts";
import { chooseFusion, type Fusion } from "./fuse.ts";
import { accessOf, mapOf, paddedMap } from "./index-map.ts";
import { elementwiseKernels, reduceKernels, type FusedKernel } from "./fused-kernels.ts";
import { RowGroups, type RowGroup } from "./row-groups.ts";
import { rowKernel } from "./row-kernel.ts";
import { assignSlots } from "./memory.ts";
import { lowerGraph } from "./lower.ts";
import { mergeDuplicates } from "./merge.ts";
import type { Placed, PlanSpec, Step, Tunable, Value } from "./spec.ts";
import { inputsOf, readsOf, UpdateGroups, writesOf, type PlacedUpdate, type UpdateInput } from "./update-groups.ts";
import { narrowed, pieceElements, windowBytes, windowOf, type Window } from "./window.ts";

/** Storage bindings that every adapter has, less one for the output. */
const MAX_SOURCES = 7;
/** Roots up to this many bytes are copied out of a slot, so that a new buffer does not change a dispatch's bind group. */
const SMALL_ROOT_BYTES = 64 * 1024;

/** A value as a kernel sees it. */
interface Bound {
  readonly value: Value;
  readonly window: Window | null;
}

const whole = (value: Value): Bound => ({ value, window: null });

const bytesOf = ({ shape, dtype }: { readonly shape: readonly number[]; readonly dtype: DType }): number =>
  storedBytes(sizeOf(shape), dtype);

/** A row group that reads and writes more than one dispatch can bind. */
class RowGroupTooLarge extends Error {
  readonly group: RowGroup;
  constructor(group: RowGroup) {
    super("rows: more buffers than fit one dispatch");
    this.group = group;
  }
}

class Planner implements Resolver {
  readonly #traits: DeviceTraits;
  readonly #steps: Step[] = [];
  readonly #temporaries: Value[] = [];
  readonly #tunable = new Map<string, Tunable>();
  readonly #leaves: Node[];
  readonly #placed = new Map<Node, Placed>();
  readonly #outputs = new Map<Node, readonly Value[]>();
  readonly #copies = new Map<Node, Placed>();
  readonly #rows: RowGroups;
  readonly #done = new Set<RowGroup>();
  readonly #fusion: Fusion;
  /** Of the node whose steps are being planned. */
  #scope = "";

  constructor(order: readonly Node[], roots: ReadonlySet<Node>, leaves: Node[], traits: DeviceTraits, rows: RowGroups) {
    this.#traits = traits;
    this.#leaves = leaves;
    this.#rows = rows;
    this.#fusion = chooseFusion(order, roots, rows);
    leaves.forEach((leaf, index) => {
      const value: Value = { bytes: bytesOf(leaf), place: { kind: "leaf", index }, first: 0, last: 0 };
      this.#placed.set(leaf, { value, view: contiguousView(leaf.shape) });
    });
  }

  get limit(): number {
    return this.#traits.maxStorageBinding;
  }
  inlined(node: Node): boolean {
    return this.#fusion.inlined[node.index] === true || this.#isLinearOverInlined(node);
  }
  #isLinearOverInlined(node: Node): boolean {
    if (node.op?.kind !== "movement" || !node.op.linear) return false;
    const [input] = node.inputs;
    return input !== undefined && this.inlined(input);
  }
  source(node: Node): Source {
    const { value, view } = this.place(node);
    return { value, map: mapOf(view) };
  }
  paddedSource(node: Node): Source {
    const [fill = 0, ...pads] = node.attrs;
    const { value, view } = this.place(node.inputs[0] ?? node);
    return { value, map: paddedMap(view, pads, fill) };
  }

  temporary(bytes: number): Value {
    const value: Value = {
      bytes,
      place: { kind: "slot", index: -1 },
      first: this.#steps.length,
      last: this.#steps.length,
    };
    this.#temporaries.push(value);
    return value;
  }
  #push(step: Omit<Step, "scope">): void {
    for (const value of step.values) value.last = this.#steps.length;
    this.#steps.push({ ...step, scope: this.#scope });
  }

  /** Where the node's values lie; computes them if need be. */
  place(node: Node): Placed {
    const known = this.#placed.get(node);
    if (known) return known;
    const outer = this.#scope;
    this.#scope = node.scope;
    const placed = this.#place(node);
    this.#scope = outer;
    this.#placed.set(node, placed);
    return placed;
  }
  #place(node: Node): Placed {
    const { op } = node;
    invariant(op !== null, "planner: a leaf was not registered");
    const [first] = node.inputs;
    if (op.kind === "movement" && first) {
      const source = this.place(first);
      const view = op.view(source.view, node.shape, node.attrs);
      if (view) return { value: source.value, view };
      const copy = this.contiguous(first);
      const retried = op.view(copy.view, node.shape, node.attrs);
      invariant(retried !== null, `planner: ${op.name} has no view of contiguous data`);
      return { value: copy.value, view: retried };
    }
    if (op.kind === "pick" && first) {
      const [index = 0] = node.attrs;
      const value = this.#runKernel(first)[index];
      invariant(value !== undefined, "planner: pick of an output that is not there");
      return { value, view: contiguousView(node.shape) };
    }
    if (op.kind === "kernel") {
      const [value] = this.#runKernel(node);
      invariant(value !== undefined, `planner: ${op.name} has no output`);
      return { value, view: contiguousView(node.shape) };
    }
    const group = this.#rows.of(node);
    if (group && !this.#done.has(group)) {
      this.#runRows(group);
      const placed = this.#placed.get(node);
      invariant(placed !== undefined, "planner: a row kernel lacks an output");
      return placed;
    }
    const value = this.temporary(bytesOf(node));
    if (op.kind === "reduce") this.#reduce(node, value);
    else if (op.kind === "concat") this.#concat(node, value);
    else this.#fused(node, value, contiguousView(node.shape));
    return { value, view: contiguousView(node.shape) };
  }

  /** The node in row-major order without gaps. */
  contiguous(node: Node): Placed {
    const placed = this.place(node);
    if (isContiguous(placed.view) && placed.view.offset === 0) return placed;
    const known = this.#copies.get(node);
    if (known) return known;
    const value = this.temporary(bytesOf(node));
    this.#copy(node, value);
    const copy = { value, view: contiguousView(node.shape) };
    this.#copies.set(node, copy);
    return copy;
  }
  #copy(node: Node, into: Value): void {
    const size = sizeOf(node.shape);
    for (const kernel of elementwiseKernels(node, size, into, mapOf(contiguousView(node.shape)), this, "copy"))
      this.#emit(kernel, into);
  }

  /** Everything that a row group has to give. @throws RowGroupTooLarge where a dispatch cannot bind it all */
  #runRows(group: RowGroup): void {
    this.#done.add(group);
    const outputs = [...group.members].filter((node) => this.#fusion.inlined[node.index] !== true);
    // before anything is written: a chain of thousands of ops has results in its midst
    if (outputs.length > MAX_SOURCES) throw new RowGroupTooLarge(group);
    const kernel = rowKernel(group, outputs, this.#rows, this, this.#traits);
    const tooLarge = kernel.values.some(({ bytes }) => bytes > this.limit);
    if (tooLarge || kernel.values.length + outputs.length > MAX_SOURCES + 1) throw new RowGroupTooLarge(group);
    const values = outputs.map((node) => {
      const value = this.temporary(bytesOf(node));
      this.#placed.set(node, { value, view: contiguousView(node.shape) });
      return value;
    });
    this.#emit(kernel, ...values);
  }

  #emit(kernel: FusedKernel, ...outputs: Value[]): void {
    const sources = kernel.values.length;
    this.#push({
      label: kernel.label,
      wgsl: kernel.wgsl,
      values: [...kernel.values, ...outputs],
      windows: kernel.windows,
      accesses: [
        ...new Array<"read">(sources).fill("read"),
        ...new Array<"read_write">(outputs.length).fill("read_write"),
      ],
      uniforms: kernel.uniforms,
      workgroups: kernel.workgroups,
    });
  }

  /**
   * Every node that a fused expression reads from memory, computed before the kernel is written.
   *
   * @param inOrder the kernel goes through the expression in order, in pieces where it must
   */
  #prepare(root: Node, inOrder: boolean): void {
    // what is bound of each: a buffer read both by vec4 and by element twice, one larger than a binding by its windows
    const bindings = new Map<Value, Set<string>>();
    const bind = (value: Value, how: string): void => {
      bindings.set(value, (bindings.get(value) ?? new Set()).add(how));
    };
    const read = ({ value, map }: Source): void => {
      const access = accessOf(map, 4);
      const type = access === "linear" || access === "vector" ? "whole" : "single";
      if (value.bytes <= this.limit) bind(value, type);
      else if (inOrder && access === "linear") bind(value, `piece from ${map.offset}`);
      else for (let at = 0; at < value.bytes; at += windowBytes(this.limit)) bind(value, `${type} ${at}`);
    };
    const seen = new Set<Node>();
    const visit = (node: Node): void => {
      if (seen.has(node)) return;
      seen.add(node);
      if (node !== root && !this.inlined(node)) read(this.source(node));
      else if (node.op?.kind === "pad") read(this.paddedSource(node));
      else if (node.op?.kind === "random") for (const key of node.inputs) bind(this.place(key).value, "single");
      else for (const input of node.inputs) visit(input);
    };
    visit(root);
    const counts = [...bindings.values()].map(({ size }) => size);
    if (counts.reduce((a, b) => a + b, 0) <= MAX_SOURCES) return;
    this.#cut(root, Math.max(...counts));
    this.#prepare(root, inOrder);
  }
  /** Too many buffers for one dispatch: gives the largest fitting part of the expression a kernel of its own. */
  #cut(root: Node, mostBindings: number): void {
    let best: Node | null = null;
    let bestCount = 1;
    const counts = new Map<Node, Set<Node>>();
    const visit = (node: Node): Set<Node> => {
      const known = counts.get(node);
      if (known) return known;
      const reads = new Set<Node>();
      counts.set(node, reads);
      if ((node !== root && !this.inlined(node)) || node.op?.kind === "pad" || node.op?.kind === "random")
        reads.add(node);
      else for (const n of node.inputs) for (const r of visit(n)) reads.add(r);
      if (
        node !== root &&
        node.op?.kind === "elementwise" &&
        this.inlined(node) &&
        reads.size <= MAX_SOURCES &&
        reads.size > bestCount
      ) {
        best = node;
        bestCount = reads.size;
      }
      return reads;
    };
    visit(root);
    const cut: Node | null = best;
    if (cut === null && mostBindings > 2)
      throw new DeviceError(
        "out-of-memory",
        `${root.op?.name ?? "fused"}: reads tensors of several bindings of ${this.limit} bytes each, more than fit one dispatch; work on slices of them`,
      );
    invariant(cut !== null, "planner: a fused expression cannot be cut");
    this.#fusion.inlined[(cut as Node).index] = false;
    this.place(cut);
  }

  /** Runs the expression above `node`, node included, into a view of `value`. */
  #fused(node: Node, value: Value, view: View): void {
    this.#prepare(node, true);
    const alone: Resolver = {
      inlined: (n) => n === node || this.inlined(n),
      limit: this.limit,
      source: (n) => this.source(n),
      paddedSource: (n) => this.paddedSource(n),
    };
    const label = node.op?.name ?? "fused";
    const kernel = finishedIn(node, (n) => this.inlined(n));
    if (kernel) {
      if (this.#runFinished(kernel, node, value, alone)) return;
      this.#fusion.inlined[kernel.index] = false;
      this.place(kernel);
    }
    for (const part of elementwiseKernels(node, sizeOf(node.shape), value, mapOf(view), alone, label))
      this.#emit(part, value);
  }
  /** Runs a kernel that stores the values of the expression at `node`; false where it cannot. */
  #runFinished(kernel: Node, node: Node, value: Value, resolve: Resolver): boolean {
    const op = kernel.op as KernelOp; // finishedIn gives kernel nodes
    const { described, bound } = this.#inputs(kernel, op);
    const { epilogue, values } = epilogueOf(node, kernel, bound.length, resolve);
    const tooLarge = [...values, ...bound.map((b) => b.value), value].some(({ bytes }) => bytes > this.limit);
    if (tooLarge || bound.length + values.length > MAX_SOURCES) return false;
    const program = op.finished?.(described, kernel.attrs, this.#traits, epilogue);
    if (!program) return false;
    this.#runProgram(program, [...bound, ...values.map(whole)], [value]);
    return true;
  }
  #reduce(node: Node, value: Value): void {
    const [input] = node.inputs;
    invariant(input !== undefined, "planner: reduce without input");
    if (this.inlined(input)) this.#prepare(input, false);
    else this.place(input);
    const [scale = 1, ...axes] = node.attrs;
    const op = node.op as ReduceOp; // kind is reduce
    const kernels = reduceKernels(
      { input, op, axes, scale, output: value, temporary: (bytes) => this.temporary(bytes) },
      this,
      this.#traits,
    );
    for (const { kernel, output } of kernels) this.#emit(kernel, output);
  }
  #concat(node: Node, value: Value): void {
    const [axis = 0] = node.attrs;
    const whole = contiguousView(node.shape);
    let start = 0;
    for (const piece of node.inputs) {
      const n = piece.shape[axis] ?? 0;
      const view: View = { shape: piece.shape, strides: whole.strides, offset: start * (whole.strides[axis] ?? 0) };
      start += n;
      if (sizeOf(piece.shape) === 0) continue;
      if (this.inlined(piece)) this.#prepare(piece, true);
      else this.place(piece);
      for (const kernel of elementwiseKernels(piece, sizeOf(piece.shape), value, mapOf(view), this, "concat"))
        this.#emit(kernel, value);
    }
  }

  #inputs(node: Node, op: KernelOp): { described: KernelInput[]; bound: Bound[] } {
    const bound: Bound[] = [];
    const described = node.inputs.map((input, k) => {
      const p = this.place(input);
      const accepted = (view: View): boolean => op.accepts(view, k, node.attrs);
      const part = p.value.bytes > this.limit ? narrowed(p.value, p.view, input.dtype, this.limit) : null;
      if (part && accepted(part.view)) {
        bound.push({ value: p.value, window: part.window });
        return { ...part.view, dtype: input.dtype };
      }
      // a copy of a part is small enough to be bound; a whole is not
      const direct = accepted(p.view) && (p.value.bytes <= this.limit || bytesOf(input) > this.limit);
      const taken = direct ? p : this.contiguous(input);
      bound.push(whole(taken.value));
      return { ...taken.view, dtype: input.dtype };
    });
    return { described, bound };
  }
  #runKernel(node: Node): readonly Value[] {
    const known = this.#outputs.get(node);
    if (known) return known;
    const op = node.op as KernelOp; // callers pass kernel nodes
    const { described, bound } = this.#inputs(node, op);
    const outputs = op.outputs(described, node.attrs).map((output) => this.temporary(bytesOf(output)));
    this.#outputs.set(node, outputs);
    this.#runProgram(op.program(described, node.attrs, this.#traits), bound, outputs);
    return outputs;
  }
  #runProgram(program: Program, inputs: readonly Bound[], outputs: readonly Value[]): void {
    const scratch = program.scratch.map((bytes) => this.temporary(bytes));
    const { tuning } = program;
    if (tuning)
      this.#tunable.set(tuning.key, {
        ...tuning,
        inputs: inputs.map(({ value, window }) => window?.bytes ?? value.bytes),
        outputs: outputs.map(({ bytes }) => bytes),
      });
    for (const launch of program.launches) {
      const bound = launch.bindings.map(({ buffer }): Bound => {
        const value =
          buffer.kind === "input" ? inputs[buffer.index] : (buffer.kind === "output" ? outputs : scratch)[buffer.index];
        invariant(value !== undefined, `planner: ${launch.label} names a buffer that is not there`);
        return "window" in value ? value : whole(value);
      });
      if (launch.workgroups.some((n) => n === 0)) continue;
      this.#push({
        label: launch.label,
        wgsl: launch.wgsl,
        values: bound.map(({ value }) => value),
        windows: bound.map(({ window }) => window),
        accesses: launch.bindings.map((b) => b.access),
        uniforms: launch.uniforms,
        workgroups: launch.workgroups,
      });
    }
  }

  /** In-place updates come last, readers of a buffer before its writer. */
  runUpdates(updates: readonly Node[]): void {
    const pending = updates.map((node): PlacedUpdate => {
      const op = node.op as UpdateOp; // callers pass update nodes
      const place = (input: Node, k: number): Placed =>
        op.targets.includes(k) ? this.place(input) : this.contiguous(input);
      return { op, node, inputs: node.inputs.map((input, k) => ({ ...place(input, k), dtype: input.dtype })) };
    });
    const readers = new Map<Value, Set<PlacedUpdate>>();
    const writers = new Map<Value, PlacedUpdate[]>();
    for (const update of pending) {
      for (const value of readsOf(update)) readers.set(value, (readers.get(value) ?? new Set()).add(update));
      for (const value of writesOf(update)) writers.set(value, [...(writers.get(value) ?? []), update]);
    }
    const isFree = (update: PlacedUpdate): boolean =>
      writesOf(update).every(
        (value) =>
          writers.get(value)?.[0] === update && [...(readers.get(value) ?? [])].every((reader) => reader === update),
      );
    const groups = new UpdateGroups(this.#traits);
    let op: UpdateOp | null = null;
    while (pending.length > 0) {
      // those of one op follow each other where they can, so that they may share a dispatch
      const alike = pending.findIndex((update) => update.op === op && isFree(update));
      const [update] = pending.splice(alike < 0 ? Math.max(0, pending.findIndex(isFree)) : alike, 1);
      if (!update) return;
      ({ op } = update);
      // what this update overwrites and a later one (or itself) still reads is saved first
      for (const value of writesOf(update)) {
        // else the copies for all updates would be there at once
        if (readers.get(value)?.size) this.#runGroups(groups);
        for (const reader of readers.get(value) ?? []) this.#saveInput(reader, value);
        readers.delete(value);
        writers.get(value)?.shift();
      }
      for (const value of readsOf(update)) readers.get(value)?.delete(update);
      groups.add(update);
    }
    this.#runGroups(groups);
  }
  /** Gives an update a copy of what it reads of a value. */
  #saveInput({ op, node, inputs }: PlacedUpdate, overwritten: Value): void {
    this.#scope = node.scope;
    node.inputs.forEach((input, k) => {
      if (op.targets.includes(k) || inputs[k]?.value !== overwritten) return;
      const value = this.temporary(bytesOf(input));
      this.#copy(input, value);
      inputs[k] = { value, view: contiguousView(input.shape), dtype: input.dtype };
    });
  }
  #runGroups(groups: UpdateGroups): void {
    for (const group of groups.take()) {
      this.#scope = group.members[0]?.node.scope ?? "";
      this.#runUpdate(group.op, inputsOf(group));
    }
  }
  /** Updates work element by element: tensors too large for one binding are taken piece by piece. */
  #runUpdate(op: UpdateOp, inputs: readonly UpdateInput[]): void {
    const described = inputs.map(({ view, dtype }) => ({ ...view, dtype }));
    if (inputs.every(({ value }) => value.bytes <= this.limit)) {
      const bound = inputs.map(({ value }) => whole(value));
      return this.#runProgram(op.program(described), bound, []);
    }
    const size = sizeOf(described[0]?.shape ?? []);
    const step = pieceElements(this.limit);
    for (let first = 0; first < size; first += step) {
      const count = Math.min(step, size - first);
      const isShared = (k: number): boolean => k >= inputs.length - op.shared;
      const parts = inputs.map(({ value, view, dtype }, k) => {
        const [start, n] = isShared(k) ? [0, sizeOf(view.shape)] : [first, count];
        return { value, window: windowOf(value, dtype, start, n).window };
      });
      const pieces = described.map((d, k) => (isShared(k) ? d : { ...d, ...contiguousView([count]) }));
      this.#runProgram(op.program(pieces), parts, []);
    }
  }

  /** The value that holds exactly the root's elements; views are copied. */
  placeRoot(root: Node): Value {
    const { value, view } = this.place(root);
    const bytes = bytesOf(root);
    if (value.place.kind !== "leaf" && isContiguous(view) && view.offset === 0 && value.bytes === bytes) return value;
    const copy = this.temporary(bytes);
    this.#copy(root, copy);
    return copy;
  }

  /** @param values of each root, null for update tokens */
  finish(values: readonly (Value | null)[]): PlanSpec {
    const taken = new Map<Value, number>();
    const copies: [Value, number][] = [];
    const results = values.map((value, index) => {
      if (!value) return { bytes: 0, copyFrom: null };
      const { bytes } = value;
      if (taken.has(value) || bytes <= SMALL_ROOT_BYTES) {
        copies.push([value, index]);
        return { bytes, copyFrom: value };
      }
      taken.set(value, index);
      return { bytes, copyFrom: null };
    });
    for (const [value] of copies) value.last = this.#steps.length;
    for (const [value, index] of taken) value.place = { kind: "root", index };
    const slots = assignSlots(this.#temporaries.filter((v) => v.place.kind === "slot"));
    return {
      leaves: this.#leaves.map((leaf) => ({
        kind: leaf.source?.kind ?? "host",
        bytes: bytesOf(leaf),
        dtype: leaf.dtype,
      })),
      steps: this.#steps,
      slots,
      tunable: [...this.#tunable.values()],
      roots: results,
    };
  }
}

/**
 * Turns a graph into dispatches over slots.
 *
 * @param order topological order of all that `roots` need, `index` set
 */
export function planGraph(order: readonly Node[], roots: readonly Node[], traits: DeviceTraits): PlanSpec {
  const leaves = order.filter((node) => node.op === null);
  const lowered = lowerGraph(order, roots, traits);
  const merged = mergeDuplicates(lowered.order, lowered.roots);
  const banned = new Set<Node>();
  for (;;) {
    try {
      return planMerged(merged, leaves, traits, banned);
    } catch (error) {
      if (!(error instanceof RowGroupTooLarge)) throw error;
      for (const node of error.group.lastHalf) banned.add(node);
    }
  }
}

/** @param banned nodes that are to stay out of row groups */
function planMerged(
  merged: { readonly order: readonly Node[]; readonly roots: readonly Node[] },
  leaves: Node[],
  traits: DeviceTraits,
  banned: ReadonlySet<Node>,
): PlanSpec {
  const isUpdate = (node: Node): boolean => node.op?.kind === "update";
  const results = new Set(merged.roots.filter((r) => !isUpdate(r)));
  const rows = new RowGroups(merged.order, traits, banned);
  const planner = new Planner(merged.order, results, leaves, traits, rows);
  for (const node of merged.order) {
    const kind = node.op?.kind;
    if (kind === undefined || kind === "movement" || kind === "update" || kind === "pick" || planner.inlined(node))
      continue;
    planner.place(node);
  }
  // a root that is a view of a leaf is read before updates write the leaf
  const values = merged.roots.map((root) => (isUpdate(root) ? null : planner.placeRoot(root)));
  planner.runUpdates(merged.roots.filter(isUpdate));
  return planner.finish(values);
}
