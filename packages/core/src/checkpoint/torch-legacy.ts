import { type ByteSource, readExactly } from "./byte-source.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { type PickleFail, PickleUnderrun } from "./pickle-cursor.ts";
import { describePickle } from "./pickle-describe.ts";
import { isNode, type PickleValue, sequenceItems } from "./pickle-value.ts";
import { storedFormat } from "./stored-dtype.ts";
import { MAX_PICKLE_BYTES, TORCH_DAMAGED, type TorchFile } from "./torch-file.ts";
import { collectStorages, type TorchStorages } from "./torch-storages.ts";
import { unpickle } from "./unpickle.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const FIRST_WINDOW_BYTES = 1 << 20;
const WINDOW_GROWTH = 4;
/** In front of each storage: its number of elements. */
const COUNT_BYTES = 8;

/**
 * Opens what torch.save wrote before version 1.6: five pickles (a magic number, a protocol number, the system, the object, the
 * keys of the storages), then each storage's element count and bytes. Reads the pickles only.
 *
 * @throws CheckpointError when a pickle holds more than tensors and containers, or the storages do not end where the file does
 */
export async function openTorchLegacy(source: ByteSource): Promise<TorchFile> {
  const fail: PickleFail = (rule, got, remedy = TORCH_DAMAGED) => {
    throw checkpointError({ source: source.name, rule, got, remedy });
  };
  const { root, storages, keys, end } = await readPickles(source, fail);

  const begins = new Map<string, number>();
  let at = end;
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.all.get(key) : undefined;
    if (storage === undefined || begins.has(storage.key))
      return fail("the file must list each storage of its tensors once", describePickle(key));
    begins.set(storage.key, at);
    at += COUNT_BYTES + storage.totalBytes;
  }
  for (const key of storages.all.keys())
    if (!begins.has(key)) fail("the file must list each storage of its tensors once", `no ${quote(key)}`);
  if (at !== source.size) fail(`the file must end where its last storage does, at ${at}`, `${source.size} bytes`);

  const checked = new Set<string>();
  const locate = async (key: string): Promise<number> => {
    const begin = begins.get(key);
    const storage = storages.all.get(key);
    if (begin === undefined || storage === undefined) return fail("a storage must be in the file", quote(key));
    if (!checked.has(key)) {
      const bytes = await readExactly(source, begin, COUNT_BYTES);
      const count = new DataView(bytes.buffer, bytes.byteOffset, COUNT_BYTES).getBigInt64(0, true);
      const itemBytes = storage.dtype === undefined ? 1 : storedFormat(storage.dtype).itemBytes;
      if (count !== BigInt(storage.totalBytes / itemBytes))
        fail(`storage ${quote(key)} must have ${storage.totalBytes / itemBytes} elements`, `${count}`);
      checked.add(key);
    }
    return begin + COUNT_BYTES;
  };
  return { root, locate };
}

interface Pickles {
  readonly root: PickleValue;
  readonly storages: TorchStorages;
  readonly keys: readonly PickleValue[];
  readonly end: number;
}

/** How long the pickles are is known at their end only: a larger part of the file is read until they fit. */
async function readPickles(source: ByteSource, fail: PickleFail): Promise<Pickles> {
  const most = Math.min(source.size, MAX_PICKLE_BYTES);
  for (let length = Math.min(most, FIRST_WINDOW_BYTES); ; length = Math.min(most, length * WINDOW_GROWTH)) {
    try {
      return parsePickles(await readExactly(source, 0, length), fail);
    } catch (error) {
      if (!(error instanceof PickleUnderrun)) throw error;
    }
    if (length === most) return fail(`the file's pickles must end within ${most} bytes`, "more");
  }
}

function parsePickles(bytes: Uint8Array, fail: PickleFail): Pickles {
  const persistent = () => fail("the file must begin with plain values", "a storage");
  const magic = unpickle(bytes, 0, { fail, persistent });
  if (magic.value !== MAGIC)
    fail("a pickle must be one of torch.save", "another one", "give a file of torch.save, or of safetensors");
  const protocol = unpickle(bytes, magic.end, { fail, persistent });
  if (protocol.value !== PROTOCOL) fail(`the file must be of protocol ${PROTOCOL}`, describePickle(protocol.value));
  const system = unpickle(bytes, protocol.end, { fail, persistent });
  if (field(system.value, "little_endian") !== true)
    fail("tensors must be little-endian", describePickle(system.value), "save them on a little-endian machine");

  const storages = collectStorages(fail);
  const object = unpickle(bytes, system.end, { fail, persistent: storages.persistent });
  const list = unpickle(bytes, object.end, { fail, persistent });
  const keys = sequenceItems(list.value) ?? fail("the file must list its storages", describePickle(list.value));
  return { root: object.value, storages, keys, end: list.end };
}

function field(dict: PickleValue, name: string): PickleValue | undefined {
  if (!isNode(dict) || dict.kind !== "dict") return undefined;
  const at = dict.items.findIndex((item, i) => i % 2 === 0 && item === name);
  return at < 0 ? undefined : dict.items[at + 1];
}
