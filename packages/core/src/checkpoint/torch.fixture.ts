import {
  dict,
  global,
  int,
  list,
  orderedDict,
  type Piece,
  pickle,
  record,
  reduce,
  str,
  tuple,
  bool,
} from "./pickle.fixture.ts";
import { zip } from "./zip.fixture.ts";

/** A storage of a made-up checkpoint. */
export interface FixtureStorage {
  readonly key: string;
  /** For instance `FloatStorage`. */
  readonly type: string;
  readonly elements: number;
  readonly bytes: Uint8Array;
}

export function storage(
  type: string,
  key: string,
  values: ArrayBufferView & { readonly length: number },
): FixtureStorage {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { key, type, elements: values.length, bytes };
}

/** `("storage", torch.FloatStorage, "0", "cpu", 6)` as a persistent id. */
export function storageId({ type, key, elements }: FixtureStorage, ...more: Piece[]): Piece {
  const module = type.startsWith("Untyped") ? "torch.storage" : "torch";
  return [...tuple(str("storage"), global(module, type), str(key), str("cpu"), int(elements), ...more), 0x51];
}

/** A tensor as torch.save writes it. */
export function torchTensor(
  stored: FixtureStorage | Piece,
  offset: number | bigint,
  size: readonly (number | bigint)[],
  stride: readonly (number | bigint)[],
): Piece {
  const id = "key" in stored ? storageId(stored) : stored;
  const [shape, strides] = [tuple(...size.map(int)), tuple(...stride.map(int))];
  return reduce(
    global("torch._utils", "_rebuild_tensor_v2"),
    id,
    int(offset),
    shape,
    strides,
    bool(false),
    orderedDict({}),
  );
}

export const parameter = (tensor: Piece): Piece =>
  reduce(global("torch._utils", "_rebuild_parameter"), tensor, bool(true), orderedDict({}));

/** The archive of torch.save since 1.6. */
export function torchZip(
  root: Piece,
  storages: readonly FixtureStorage[],
  { folder = "archive", zip64 = false, byteOrder = "little", version = 2 } = {},
): Uint8Array {
  const top = folder === "" ? "" : `${folder}/`;
  const encode = (value: string) => new TextEncoder().encode(value);
  return zip(
    [
      { name: `${top}data.pkl`, bytes: pickle(root, version) },
      { name: `${top}byteorder`, bytes: encode(byteOrder) },
      ...storages.map(({ key, bytes }) => ({ name: `${top}data/${key}`, bytes })),
      { name: `${top}version`, bytes: encode("3\n") },
    ],
    { zip64, align: 64 },
  );
}

/** What torch.save wrote before 1.6. */
export function torchLegacy(
  root: Piece,
  storages: readonly FixtureStorage[],
  { version = 2, littleEndian = true } = {},
): Uint8Array {
  const system = record({ protocol_version: int(1001), little_endian: bool(littleEndian), type_sizes: dict() });
  const parts = [
    int(0x1950a86a20f9469cfc6cn),
    int(1001),
    system,
    root,
    list(...storages.map(({ key }) => str(key))),
  ].map((value) => pickle(value, version));
  for (const { elements, bytes } of storages) {
    const count = new Uint8Array(8);
    new DataView(count.buffer).setBigInt64(0, BigInt(elements), true);
    parts.push(count, bytes);
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
