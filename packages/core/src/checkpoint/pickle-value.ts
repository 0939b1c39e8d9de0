import type { StoredDType } from "./stored-dtype.ts";

/** What a pickle of tensors and containers is made of. Integers are numbers where these are exact, else bigints. */
export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleNode;

export type PickleNode =
  PickleSequence | PickleDict | PickleGlobal | PickleDType | TorchStorage | TorchTensor | NumpyDType;

/** The nodes that can be of a kind. */
export type NodeOfKind<K, N extends PickleNode = PickleNode> = N extends PickleNode
  ? K extends N["kind"]
    ? N
    : never
  : never;

export interface PickleSequence {
  readonly kind: "list" | "tuple" | "set";
  readonly items: PickleValue[];
}

/** A dict, or an object of plain fields. */
export interface PickleDict {
  readonly kind: "dict" | "record";
  /** Keys and values in turn; whether keys repeat is left to the reader. */
  readonly items: PickleValue[];
}

/** A name that a pickle may mention; nothing stands behind it but the rules of `pickle-globals.ts`. */
export interface PickleGlobal {
  readonly kind: "global";
  /** For instance `torch._utils._rebuild_tensor_v2`. */
  readonly name: string;
}

/** An element type, such as `torch.float32`. */
export interface PickleDType {
  readonly kind: "dtype";
  readonly name: string;
}

export interface NumpyDType {
  readonly kind: "numpy";
  /** For instance `f8`. */
  readonly code: string;
  /** Set by the state that follows its creation. */
  bigEndian: boolean;
}

/** The bytes behind tensors, or a part of them. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly key: string;
  /** Undefined for raw bytes. */
  readonly dtype: StoredDType | undefined;
  /** Bytes of the whole that `key` names. */
  readonly totalBytes: number;
  /** The part: bytes from the start of the whole. */
  readonly begin: number;
  readonly bytes: number;
}

/** A strided view of a storage; checked to lie within it. Offsets and strides are in elements. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  readonly dtype: StoredDType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export function isNode(value: PickleValue | undefined): value is PickleNode {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

/** The items of a tuple or list, else undefined. */
export function sequenceItems(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  return isNode(value) && (value.kind === "tuple" || value.kind === "list") ? value.items : undefined;
}

/** The value as a non-negative integer below 2^53, else undefined. */
export function pickleSize(value: PickleValue | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
