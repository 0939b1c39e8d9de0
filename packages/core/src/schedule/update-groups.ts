import type { DType } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Node } from "../graph/node.ts";
import type { DeviceTraits } from "../kernels/kernel.ts";
import type { UpdateOp } from "../primitives/op.ts";
import type { Placed, Value } from "./spec.ts";

/** Largest tensors that share a dispatch on software adapters: SwiftShader goes through the text of all members for every element. */
const SOFTWARE_ELEMENTS = 512;

export interface UpdateInput extends Placed {
  readonly dtype: DType;
}

/** An in-place update and where its inputs lie. */
export interface PlacedUpdate {
  readonly op: UpdateOp;
  readonly node: Node;
  readonly inputs: UpdateInput[];
}

/** Updates of one op that run in one dispatch, in any order. */
export interface UpdateGroup {
  readonly op: UpdateOp;
  readonly members: PlacedUpdate[];
}

interface OpenGroup extends UpdateGroup {
  readonly most: number;
  readonly shared: readonly Value[];
  readonly reads: Set<Value>;
  readonly writes: Set<Value>;
}

export const writesOf = ({ op, inputs }: PlacedUpdate): Value[] => op.targets.flatMap((k) => inputs[k]?.value ?? []);

export const readsOf = ({ op, inputs }: PlacedUpdate): Value[] =>
  inputs.flatMap(({ value }, k) => (op.targets.includes(k) ? [] : [value]));

/** As the op's program takes them. */
export function inputsOf({ op, members }: UpdateGroup): UpdateInput[] {
  const own = members.flatMap(({ inputs }) => inputs.slice(0, inputs.length - op.shared));
  return [...own, ...(members[0]?.inputs.slice(own.length / members.length) ?? [])];
}

function meet(a: ReadonlySet<Value>, b: ReadonlySet<Value>): boolean {
  for (const value of b) if (a.has(value)) return true;
  return false;
}

/** Updates gathered for as few dispatches as the adapter's bindings allow. The groups, run in order, do what the updates would one by one. */
export class UpdateGroups {
  readonly #traits: DeviceTraits;
  #groups: OpenGroup[] = [];

  constructor(traits: DeviceTraits) {
    this.#traits = traits;
  }

  add(update: PlacedUpdate): void {
    const { op, inputs } = update;
    const most = this.#mostMembers(update);
    if (most === 0) return;
    const [reads, writes] = [readsOf(update), writesOf(update)];
    const shared = inputs.slice(inputs.length - op.shared).map(({ value }) => value);
    const alone: OpenGroup = { op, members: [update], most, shared, reads: new Set(reads), writes: new Set(writes) };
    const home = most > 1 ? this.#homeOf(alone) : null;
    if (!home) {
      this.#groups.push(alone);
      return;
    }
    home.members.push(update);
    for (const value of reads) home.reads.add(value);
    for (const value of writes) home.writes.add(value);
  }

  /** The groups so far, in the order that they are to run in. */
  take(): readonly UpdateGroup[] {
    const taken = this.#groups;
    this.#groups = [];
    return taken;
  }

  /** How many updates like this one a dispatch may hold. */
  #mostMembers({ op, inputs }: PlacedUpdate): number {
    const { software, maxStorageBinding, maxStorageBuffers } = this.#traits;
    const size = sizeOf(inputs[op.targets[0] ?? 0]?.view.shape ?? []);
    if (size === 0) return 0;
    if ((software && size > SOFTWARE_ELEMENTS) || inputs.some(({ value }) => value.bytes > maxStorageBinding)) return 1;
    return Math.max(1, Math.floor((maxStorageBuffers - op.shared) / (inputs.length - op.shared)));
  }

  /** The last group with room for an update, if the update may run before all groups behind that one. */
  #homeOf({ op, shared, most, reads, writes }: OpenGroup): OpenGroup | null {
    for (const group of this.#groups.toReversed()) {
      if (meet(group.writes, reads) || meet(group.writes, writes) || meet(group.reads, writes)) return null;
      const hasRoom = group.members.length < Math.min(group.most, most);
      if (hasRoom && group.op === op && group.shared.every((value, k) => value === shared[k])) return group;
    }
    return null;
  }
}
