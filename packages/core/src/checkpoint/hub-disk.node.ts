import { checkpointError } from "./checkpoint-error.ts";
import { openFile } from "./file.node.ts";
import type { BlobId, HubStore, IncomingBlob } from "./hub-store.ts";

// Not imports: bundlers for the browser follow imports, and this module is reached from isomorphic code.
const files = () => process.getBuiltinModule("node:fs/promises");
const paths = () => process.getBuiltinModule("node:path");

/** `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
function defaultFolder(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const path = paths();
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  const cache = XDG_CACHE_HOME || path.join(process.getBuiltinModule("node:os").homedir(), ".cache");
  return path.join(HF_HOME || path.join(cache, "huggingface"), "hub");
}

/**
 * The cache on the disk, laid out as huggingface_hub's, so that both find each other's files: `models--owner--name/` with `blobs/DIGEST`,
 * `snapshots/COMMIT/PATH` (links to blobs) and `refs/REVISION`.
 */
export function diskStore(folder: string = defaultFolder()): HubStore {
  const join = (...parts: readonly string[]): string => paths().join(...parts);
  const dirname = (path: string): string => paths().dirname(path);
  const relative = (from: string, to: string): string => paths().relative(from, to);
  const repositoryFolder = (repository: string): string => join(folder, `models--${repository.replace("/", "--")}`);
  const blobPath = (repository: string, { digest }: BlobId): string =>
    join(repositoryFolder(repository), "blobs", digest);
  const snapshot = (repository: string, commit: string): string =>
    join(repositoryFolder(repository), "snapshots", commit);
  const exists = (path: string): Promise<boolean> =>
    files()
      .stat(path)
      .then(
        () => true,
        () => false,
      );

  return {
    folder,
    ref: async (repository, revision) => {
      const text = await files()
        .readFile(join(repositoryFolder(repository), "refs", revision), "utf8")
        .catch(() => "");
      return /^[0-9a-f]{40}$/.exec(text.trim())?.[0] ?? null;
    },
    setRef: (repository, revision, commit) =>
      writing(folder, async () => {
        const path = join(repositoryFolder(repository), "refs", revision);
        await files().mkdir(dirname(path), { recursive: true });
        await files().writeFile(path, commit);
      }),
    names: async (repository, commit) => {
      const root = snapshot(repository, commit);
      const entries = await files()
        .readdir(root, { recursive: true, withFileTypes: true })
        .catch(() => []);
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
    },
    open: async (repository, commit, path) => {
      const at = join(snapshot(repository, commit), path);
      return (await exists(at)) ? openFile(at) : null;
    },
    link: async (repository, commit, path, blob) => {
      const from = blobPath(repository, blob);
      if (!(await exists(from))) return false;
      const to = join(snapshot(repository, commit), path);
      await writing(folder, async () => {
        await files().mkdir(dirname(to), { recursive: true });
        await files()
          .unlink(to)
          .catch(() => undefined);
        // where links need rights that the user lacks, a second name for the same file
        await files()
          .symlink(relative(dirname(to), from), to)
          .catch(() => files().link(from, to));
      });
      return true;
    },
    begin: (repository, blob) => writing(folder, () => incoming(blobPath(repository, blob), blob)),
  };
}

async function incoming(path: string, blob: BlobId): Promise<IncomingBlob> {
  const { constants, mkdir, open, rename, stat, unlink } = files();
  await mkdir(paths().dirname(path), { recursive: true });
  const partial = `${path}.incomplete`;
  // bytes go to their places: two processes at the same file write the same
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o644);
  const { size: received } = await handle.stat();
  return {
    received,
    write: (at, bytes) =>
      writing(path, async () => {
        for (let done = 0; done < bytes.length;)
          done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      }),
    finish: async () => {
      await handle.sync();
      const got = await digestOf(partial, blob);
      if (got !== blob.digest) {
        await unlink(partial).catch(() => undefined);
        throw checkpointError({
          source: path,
          rule: `the download must have the ${blob.algorithm} that the hub told, ${blob.digest}`,
          got,
          remedy: "it was damaged on its way and is thrown away; load it again",
        });
      }
      await writing(path, () =>
        rename(partial, path).catch(async (error: unknown) => {
          // another process was first
          if (
            !(await stat(path).then(
              () => true,
              () => false,
            ))
          )
            throw error;
        }),
      );
    },
    close: () => handle.close(),
  };
}

async function digestOf(path: string, { algorithm, size }: BlobId): Promise<string> {
  const hash = process.getBuiltinModule("node:crypto").createHash(algorithm === "sha256" ? "sha256" : "sha1");
  if (algorithm === "git-sha1") hash.update(`blob ${size}\0`);
  for await (const chunk of process.getBuiltinModule("node:fs").createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Uint8Array); // a stream without encoding gives bytes
  return hash.digest("hex");
}

async function writing<T>(source: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw checkpointError({
      source,
      rule: "the cache must be writable",
      got: cause instanceof Error ? cause.message : "an error",
      remedy: "make room, or set HF_HUB_CACHE to another folder",
      cause,
    });
  }
}
