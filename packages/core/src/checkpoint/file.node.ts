import { type ByteSource, checkRange } from "./byte-source.ts";
import { checkpointError } from "./checkpoint-error.ts";

// Not an import: bundlers for the browser follow imports, and this module is reached from isomorphic code.
const files = () => process.getBuiltinModule("node:fs/promises");
const paths = () => process.getBuiltinModule("node:path");

// One read call of the system takes at most 2^31 - 1 bytes.
const MAX_CALL_BYTES = 1 << 30;
// A partial file that nobody has written to for this long belongs to a killed process.
const STALE_MS = 10 * 60 * 1000;

/**
 * A source over a file, read through one handle until `close()`.
 *
 * @throws CheckpointError when the path is no readable regular file
 */
export async function openFile(location: string | URL): Promise<ByteSource> {
  const path = pathOf(location);
  const handle = await attempt(path, "must be a readable file", "check the path", () => files().open(path, "r"));
  const size = await handle.stat().then(
    (stat) => (stat.isFile() ? stat.size : undefined),
    () => undefined,
  );
  if (size === undefined) {
    await handle.close();
    throw checkpointError({
      source: path,
      rule: "must be a regular file",
      got: "a folder or device",
      remedy: "give the path of the checkpoint file",
    });
  }
  return {
    name: path,
    size,
    read: async (offset, length) => {
      checkRange(path, size, offset, length);
      const bytes = new Uint8Array(length);
      for (let filled = 0; filled < length;) {
        const wanted = Math.min(MAX_CALL_BYTES, length - filled);
        const { bytesRead } = await attempt(path, "must be readable", "check the disk and open the file again", () =>
          handle.read(bytes, filled, wanted, offset + filled),
        );
        if (bytesRead === 0)
          throw checkpointError({
            source: path,
            rule: `must keep its ${size} bytes while it is read`,
            got: `its end at ${offset + filled}`,
            remedy: "something else writes to the file, load it again",
          });
        filled += bytesRead;
      }
      return bytes;
    },
    sibling: (fileName) => openFile(paths().join(paths().dirname(path), fileName)),
    close: () => handle.close(),
  };
}

/**
 * Writes a file whole or not at all: the bytes go to a hidden file beside it, are flushed to the disk, and take the path's name in
 * one step. On failure the path is as it was and the hidden file is gone; what a killed process left is removed by a later write.
 *
 * @throws CheckpointError when the disk refuses; errors of `chunks` pass through
 */
export async function writeFileAtomic(
  location: string | URL,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const named = pathOf(location);
  const remedy = "choose a folder that exists, may be written to and has room";
  const refuse = <T>(action: () => Promise<T>) => attempt(named, "must be writable", remedy, action);
  const { open, realpath, rename, stat, unlink } = files();
  // Through a link, or the rename would replace the link.
  const path = await realpath(named).catch(() => paths().resolve(named));
  const old = await stat(path).catch(() => undefined);
  if (old !== undefined && !old.isFile())
    throw checkpointError({ source: named, rule: "must be a regular file", got: "a folder or device", remedy });

  const [folder, base] = [paths().dirname(path), paths().basename(path)];
  const unique = `${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
  const partial = paths().join(folder, `.${base}.${unique}.partial`);
  await removeStale(folder, base);
  const handle = await refuse(() => open(partial, "wx"));
  try {
    try {
      for await (const chunk of chunks)
        for (let written = 0; written < chunk.length;) {
          const wanted = Math.min(MAX_CALL_BYTES, chunk.length - written);
          written += (await refuse(() => handle.write(chunk, written, wanted))).bytesWritten;
        }
      await refuse(() => handle.sync());
    } finally {
      await refuse(() => handle.close());
    }
    await refuse(() => rename(partial, path));
  } catch (error) {
    await unlink(partial).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
}

/** So that the new name survives a power cut; not every system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await files()
    .open(folder, "r")
    .catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function removeStale(folder: string, base: string): Promise<void> {
  const { readdir, stat, unlink } = files();
  for (const file of await readdir(folder).catch(() => [])) {
    if (!file.startsWith(`.${base}.`) || !file.endsWith(".partial")) continue;
    const path = paths().join(folder, file);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE_MS) await unlink(path).catch(() => undefined);
  }
}

function pathOf(location: string | URL): string {
  return typeof location === "string" ? location : process.getBuiltinModule("node:url").fileURLToPath(location);
}

async function attempt<T>(source: string, rule: string, remedy: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const got = SYSTEM_ERRORS.get(code) ?? (cause instanceof Error ? cause.message : "an error");
    throw checkpointError({ source, rule, got, remedy, cause });
  }
}

const SYSTEM_ERRORS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file or folder"],
  ["ENOTDIR", "a file where a folder must be"],
  ["EISDIR", "a folder"],
  ["EACCES", "no permission"],
  ["EPERM", "no permission"],
  ["EROFS", "a read-only disk"],
  ["ENOSPC", "a full disk"],
  ["EDQUOT", "a full quota"],
  ["EMFILE", "too many open files"],
  ["ENAMETOOLONG", "a name that is too long"],
]);
