import { type ByteSource, readExactly } from "./byte-source.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import { type PickleFail, PickleUnderrun } from "./pickle-cursor.ts";
import { MAX_PICKLE_BYTES, TORCH_DAMAGED, type TorchFile } from "./torch-file.ts";
import { collectStorages } from "./torch-storages.ts";
import { type PickleWorld, type Unpickled, unpickle } from "./unpickle.ts";
import { locateEntry, readZipDirectory, type ZipEntry } from "./zip-directory.ts";

/**
 * Opens the archive that torch.save writes since version 1.6: `NAME/data.pkl`, `NAME/data/KEY` for each storage and
 * `NAME/byteorder`, none of them compressed. Reads the list of files and the pickle.
 *
 * @throws CheckpointError when the archive is another one, damaged, or its pickle holds more than tensors and containers
 */
export async function openTorchZip(source: ByteSource): Promise<TorchFile> {
  const fail: PickleFail = (rule, got, remedy = TORCH_DAMAGED) => {
    throw checkpointError({ source: source.name, rule, got, remedy });
  };
  const entries = await readZipDirectory(source);
  const pickle = findPickle(entries, fail);
  const folder = pickle.name.slice(0, -"data.pkl".length);

  const readWhole = async (entry: ZipEntry, most: number): Promise<Uint8Array> => {
    checkPlain(entry, fail);
    if (entry.bytes > most) fail(`${quote(entry.name)} must be at most ${most} bytes`, `${entry.bytes}`);
    return readExactly(source, await locateEntry(source, entry), entry.bytes);
  };

  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder !== undefined) {
    const order = new TextDecoder().decode(await readWhole(byteOrder, MAX_BYTE_ORDER_BYTES)).trim();
    if (order !== "little") fail("tensors must be little-endian", quote(order), "save them on a little-endian machine");
  }

  const storages = collectStorages(fail);
  const bytes = await readWhole(pickle, MAX_PICKLE_BYTES);
  const { value: root, end } = unpickleWhole(bytes, { fail, persistent: storages.persistent });
  if (end !== bytes.length) fail("data.pkl must hold one pickle", `${bytes.length - end} more bytes`);

  const files = new Map<string, ZipEntry>();
  for (const { key, totalBytes } of storages.all.values()) {
    const name = `${folder}data/${key}`;
    const entry =
      entries.get(name) ?? fail("the archive must hold the storages of its tensors", `none of the name ${quote(name)}`);
    checkPlain(entry, fail);
    if (entry.bytes !== totalBytes) fail(`${quote(name)} must have ${totalBytes} bytes`, `${entry.bytes}`);
    files.set(key, entry);
  }

  const found = new Map<string, number>();
  const locate = async (key: string): Promise<number> => {
    const entry = files.get(key);
    const begin =
      found.get(key) ??
      (entry === undefined ? fail("a storage must be in the archive", quote(key)) : await locateEntry(source, entry));
    found.set(key, begin);
    return begin;
  };
  return { root, locate };
}

const MAX_BYTE_ORDER_BYTES = 16;

function unpickleWhole(bytes: Uint8Array, world: PickleWorld): Unpickled {
  try {
    return unpickle(bytes, 0, world);
  } catch (error) {
    if (!(error instanceof PickleUnderrun)) throw error;
    return world.fail("data.pkl must be a whole pickle", `its end at ${bytes.length} bytes`);
  }
}

/** The one `data.pkl` in the archive's top folder, whatever that is called. */
function findPickle(entries: ReadonlyMap<string, ZipEntry>, fail: PickleFail): ZipEntry {
  const [pickle, ...more] = [...entries.values()].filter(({ name }) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickle !== undefined && more.length === 0) return pickle;
  const got = pickle === undefined ? `an archive of ${entries.size} other files` : `${more.length + 1}`;
  return fail("a PyTorch file must hold one data.pkl", got, "give a file of torch.save, or of safetensors");
}

function checkPlain({ name, bytes, storedBytes, method, encrypted }: ZipEntry, fail: PickleFail): void {
  if (method === 0 && !encrypted && bytes === storedBytes) return;
  const got = encrypted ? "an encrypted file" : `method ${method}, ${storedBytes} bytes of ${bytes}`;
  fail(`${quote(name)} must be stored without compression`, got, "save it with torch.save, which does not compress");
}
