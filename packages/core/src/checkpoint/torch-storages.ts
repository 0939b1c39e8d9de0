import { quote } from "./checkpoint-error.ts";
import type { PickleFail } from "./pickle-cursor.ts";
import { describePickle } from "./pickle-describe.ts";
import { isNode, pickleSize, type PickleValue, sequenceItems, type TorchStorage } from "./pickle-value.ts";
import { type StoredDType, storedFormat } from "./stored-dtype.ts";
import { STORAGE_CLASSES } from "./torch-dtype.ts";

/** The storages that a pickle mentions. */
export interface TorchStorages {
  /** By key, each whole. */
  readonly all: ReadonlyMap<string, TorchStorage>;
  /** The storage of a persistent id. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/**
 * Collects storages from persistent ids: `("storage", class, key, location, elements)`, and in old files a sixth item
 * `(view key, offset, elements)` for a part. Where they were (`"cuda:0"`) does not matter here.
 */
export function collectStorages(fail: PickleFail): TorchStorages {
  const all = new Map<string, TorchStorage>();
  const persistent = (id: PickleValue): PickleValue => {
    const [tag, type, key, , elements, view = null] = sequenceItems(id) ?? [];
    if (tag === "module")
      return fail(
        "a checkpoint must hold tensors and containers only",
        "a whole module",
        "save its state_dict() alone",
      );
    const name = isNode(type) && type.kind === "global" ? type.name : "";
    const dtype = STORAGE_CLASSES.get(name);
    const count = pickleSize(elements);
    if (tag !== "storage" || dtype === undefined || typeof key !== "string" || count === undefined)
      return fail("a storage must have a class, a key and a number of elements", describePickle(id));
    const itemBytes = dtype === null ? 1 : storedFormat(dtype).itemBytes;
    const totalBytes = count * itemBytes;
    if (!Number.isSafeInteger(totalBytes)) fail("a storage must be below 2^53 bytes", `${totalBytes}`);

    const known = all.get(key);
    const whole = known ?? wholeStorage(key, dtype ?? undefined, totalBytes);
    if (whole.dtype !== (dtype ?? undefined) || whole.totalBytes !== totalBytes)
      return fail(`storage ${quote(key)} must have one type and size`, `${name} of ${count}, and another`);
    all.set(key, whole);
    return view === null ? whole : storageView(whole, view, itemBytes, fail);
  };
  return { all, persistent };
}

function wholeStorage(key: string, dtype: StoredDType | undefined, totalBytes: number): TorchStorage {
  return { kind: "storage", key, dtype, totalBytes, begin: 0, bytes: totalBytes };
}

function storageView(whole: TorchStorage, view: PickleValue, itemBytes: number, fail: PickleFail): TorchStorage {
  const [key, offsetValue, countValue] = sequenceItems(view) ?? [];
  const begin = (pickleSize(offsetValue) ?? Number.NaN) * itemBytes;
  const bytes = (pickleSize(countValue) ?? Number.NaN) * itemBytes;
  if (typeof key === "string" && begin + bytes <= whole.totalBytes) return { ...whole, begin, bytes };
  return fail(
    `a part of storage ${quote(whole.key)} must lie within its ${whole.totalBytes} bytes`,
    describePickle(view),
  );
}
