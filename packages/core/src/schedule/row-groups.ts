import { isPacked, storedBytes } from "../base/dtype.ts";
import { contiguousStrides, sizeOf } from "../base/shape.ts";
import { contiguousView, type View } from "../base/view.ts";
import type { Node } from "../graph/node.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import { axesMap, mapOf, type IndexMap } from "./index-map.ts";

/** Fewer rows than these leave most of the machine idle: a reduction then cuts its rows into stretches. */
const FEWEST_ROWS = { software: 32, gpu: 64 } as const;
/** Longer rows are cut, so that more of the machine has work. */
const LONGEST_ROW = 2 ** 18;
/** Reductions of one kernel: each needs a loop or a register. */
const MOST_REDUCTIONS = 8;
/** Tensors that a group reads; every adapter binds eight buffers, and some are written. */
const MOST_SOURCES = 7;

/** Rows that lie in memory one after another or apart, each read along its last axis. */
export interface RowDomain {
  /** Equal for the same rows of tensors of whatever shape. */
  readonly key: string;
  /** Where a row begins, and where its elements lie from there. */
  readonly outer: IndexMap;
  readonly inner: IndexMap;
  readonly rows: number;
  readonly length: number;
  /** Strides of a number a row, spread over its elements. */
  readonly spread: string;
}

/**
 * Work on the rows of one domain that one kernel does: reductions, what feeds and what reads them. A member is computed element by element
 * (row) or once a row (scalar).
 */
export class RowGroup {
  readonly domain: RowDomain;
  readonly members = new Set<Node>();
  /** What is read from memory, as far as can be told before all else is planned. */
  readonly sources = new Set<Node>();
  /** Other groups that must run before. */
  readonly after = new Set<RowGroup>();
  reductions = 0;
  /** The group that this one became a part of. */
  merged: RowGroup | null = null;

  constructor(domain: RowDomain) {
    this.domain = domain;
  }

  /** Half of what follows the last reduction; all members where nothing does. */
  get lastHalf(): readonly Node[] {
    const members = [...this.members].sort((a, b) => a.index - b.index);
    const last = members.findLastIndex((node) => node.op?.kind === "reduce");
    const tail = members.slice(last + 1);
    return tail.length === 0 ? members : tail.slice(Math.floor(tail.length / 2));
  }

  get now(): RowGroup {
    return this.merged ? this.merged.now : this;
  }
}

const keyOf = ({ dims, strides, offset }: IndexMap): string => `${dims.join()}:${strides.join()}:${offset}`;

/** The rows that a reduction works on; null where another kernel suits it better. */
export function rowDomainOf(node: Node, traits: DeviceTraits): RowDomain | null {
  const [input] = node.inputs;
  if (node.op?.kind !== "reduce" || !input) return null;
  const { shape, dtype } = input;
  const [, ...axes] = node.attrs;
  const length = axes.reduce((n, a) => n * (shape[a] ?? 1), 1);
  const rows = sizeOf(node.shape);
  if (length < 2 || length > LONGEST_ROW || rows < FEWEST_ROWS[traits.software ? "software" : "gpu"]) return null;
  if (storedBytes(sizeOf(shape), dtype) > traits.maxStorageBinding) return null;
  const inner = axesMap(shape, axes);
  if (inner.strides.at(-1) !== 1) return null;
  const kept = shape.flatMap((_, a) => (axes.includes(a) ? [] : [a]));
  const outer = axesMap(shape, kept);
  const strides = contiguousStrides(node.shape).map((s, a) => (axes.includes(a) ? 0 : s));
  return {
    key: `${keyOf(outer)} ${keyOf(inner)}`,
    outer,
    inner,
    rows,
    length,
    spread: keyOf(mapOf({ shape, strides, offset: 0 })),
  };
}

/** The node below views that leave every element at its number. */
export function belowLinear(node: Node): Node {
  let at = node;
  while (at.op?.kind === "movement" && at.op.linear && at.inputs[0]) at = at.inputs[0];
  return at;
}

/** How a chain of views shows what is below it; null where no strides can say it. */
function viewOf(node: Node): View | null {
  const chain: Node[] = [];
  let at = node;
  for (; at.op?.kind === "movement" && at.inputs[0]; at = at.inputs[0]) chain.push(at);
  return chain.reduceRight<View | null>(
    (view, { op, shape, attrs }) => (view && op?.kind === "movement" ? op.view(view, shape, attrs) : null),
    contiguousView(at.shape),
  );
}

/** Which group computes each node, if any. */
export class RowGroups {
  readonly #groups: (RowGroup | null)[];
  /** What is below each node's views. */
  readonly #bases: Node[] = [];
  /** Groups that a node outside of groups needs, directly. */
  readonly #needs: ReadonlySet<RowGroup>[] = [];
  /** What a kernel reads that has the node's expression in it. */
  readonly #sources: ReadonlySet<Node>[] = [];
  /** Nodes that read each. */
  readonly #readers: number[];
  readonly #traits: DeviceTraits;

  /**
   * @param order topological, `index` set, duplicates merged
   * @param banned nodes that stay by themselves
   */
  constructor(order: readonly Node[], traits: DeviceTraits, banned: ReadonlySet<Node>) {
    this.#traits = traits;
    this.#groups = new Array<RowGroup | null>(order.length).fill(null);
    this.#readers = new Array<number>(order.length).fill(0);
    for (const node of order)
      for (const input of new Set(node.inputs)) this.#readers[input.index] = (this.#readers[input.index] ?? 0) + 1;
    for (const node of order) this.#add(node, banned);
    // a group of one reduction and nothing else gains nothing
    for (const group of new Set(this.#groups))
      if (group && group.now.members.size === 1) for (const node of group.now.members) this.#groups[node.index] = null;
  }

  of(node: Node): RowGroup | null {
    return this.#groups[node.index]?.now ?? null;
  }

  /** The scalar member that a chain of views shows spread over the rows of its group; null where it shows anything else. */
  spreadOf(node: Node): Node | null {
    if (node.op?.kind !== "movement") return null;
    const base = this.#bases[node.index] ?? node;
    const group = this.of(base);
    if (!group || !this.isScalar(base, group)) return null;
    const view = viewOf(node);
    return view && keyOf(mapOf(view)) === group.domain.spread ? base : null;
  }

  isScalar(member: Node, { domain }: RowGroup): boolean {
    return sizeOf(member.shape) === domain.rows;
  }

  /** The group of which an input is seen as a member's own element, or spread over its row. */
  #touched(input: Node, size: number): RowGroup | null {
    const below = belowLinear(input);
    const group = this.of(below);
    if (group && sizeOf(below.shape) === size) return group;
    const base = this.spreadOf(below);
    const far = base && this.of(base);
    return far && size === far.domain.rows * far.domain.length ? far : null;
  }

  #add(node: Node, banned: ReadonlySet<Node>): void {
    const domain = banned.has(node) ? null : rowDomainOf(node, this.#traits);
    const below = node.op?.kind === "movement" ? node.inputs[0] : null;
    this.#bases[node.index] = below ? (this.#bases[below.index] ?? below) : node;
    const needs = new Set<RowGroup>();
    for (const input of node.inputs) {
      const own = this.of(input);
      for (const group of own ? [own] : (this.#needs[input.index] ?? [])) needs.add(group.now);
    }
    this.#needs[node.index] = needs;
    this.#sources[node.index] = this.#sourcesOf(node);
    const isMember = domain !== null || (node.op?.kind === "elementwise" && !isPacked(node.dtype));
    if (!isMember || banned.has(node)) return;
    const [first] = node.inputs;
    const size = sizeOf(node.op?.kind === "reduce" && first ? first.shape : node.shape);
    let group: RowGroup | null = null;
    for (const input of node.inputs) {
      const touched = this.#touched(input, size);
      if (!touched || touched === group || (domain && touched.domain.key !== domain.key)) continue;
      group = group ? this.#merged(group, touched) : touched;
    }
    const fits = group && this.#takes(group, node, size);
    if (!fits) group = domain && new RowGroup(domain);
    if (!group) return;
    for (const input of node.inputs) for (const other of this.#outside(input, group, size)) group.after.add(other);
    for (const source of this.#read(node, group, size)) group.sources.add(source);
    this.#sources[node.index] = new Set([node]);
    group.members.add(node);
    if (domain) group.reductions++;
    this.#groups[node.index] = group;
  }

  /** Groups that an input needs which is not a part of `group`. */
  #outside(input: Node, group: RowGroup, size: number): RowGroup[] {
    if (this.#touched(input, size) === group) return [];
    const own = this.of(input);
    return (own ? [own] : [...(this.#needs[input.index] ?? [])]).map((g) => g.now);
  }

  /** What has several readers mostly goes to memory. */
  #sourcesOf(node: Node): ReadonlySet<Node> {
    const kind = node.op?.kind;
    if (kind === "const" || kind === "iota") return new Set();
    const isComputed =
      (kind === "elementwise" && (this.#readers[node.index] ?? 0) < 2) ||
      (node.op?.kind === "movement" && node.op.linear);
    const sources = isComputed ? new Set(node.inputs.flatMap((n) => [...(this.#sources[n.index] ?? [])])) : null;
    return sources && sources.size <= MOST_SOURCES ? sources : new Set([node]);
  }
  /** What a member of the group reads from memory. */
  #read(node: Node, group: RowGroup, size: number): Node[] {
    return node.inputs.flatMap((n) => (this.#touched(n, size) === group ? [] : [...(this.#sources[n.index] ?? [])]));
  }

  /** Whether the node fits in, and nothing that it reads from memory waits for the group. */
  #takes(group: RowGroup, node: Node, size: number): boolean {
    if (node.op?.kind === "reduce" && group.reductions >= MOST_REDUCTIONS) return false;
    if (new Set([...group.sources, ...this.#read(node, group, size)]).size > MOST_SOURCES) return false;
    return node.inputs.every((input) => !this.#outside(input, group, size).some((other) => waitsFor(other, group)));
  }

  /** Both groups as one, or the first where that cannot be. */
  #merged(a: RowGroup, b: RowGroup): RowGroup {
    if (a.domain.key !== b.domain.key || a.reductions + b.reductions > MOST_REDUCTIONS) return a;
    if (new Set([...a.sources, ...b.sources]).size > MOST_SOURCES) return a;
    const apart = (x: RowGroup, y: RowGroup): boolean => ![...x.after].some((g) => waitsFor(g.now, y));
    if (!apart(a, b) || !apart(b, a)) return a;
    for (const member of b.members) a.members.add(member);
    for (const source of b.sources) a.sources.add(source);
    for (const group of b.after) a.after.add(group);
    a.reductions += b.reductions;
    b.merged = a;
    return a;
  }
}

/** Whether a group runs after another, or is it. */
function waitsFor(group: RowGroup, other: RowGroup, seen = new Set<RowGroup>()): boolean {
  if (group === other) return true;
  if (seen.has(group)) return false;
  seen.add(group);
  return [...group.after].some((before) => waitsFor(before.now, other, seen));
}
