import { blobSource } from "./byte-source.ts";
import { checkpointError } from "./checkpoint-error.ts";
import type { BlobId, HubStore, IncomingBlob } from "./hub-store.ts";

// A file of the private file system is kept only once it is closed: what comes is filed in pieces, so that a page which is left loses one at most.
const PIECE_BYTES = 16 << 20;
/** In a blob's folder once all its pieces are there and checked. */
const COMPLETE = "complete";
const FOLDER = "omni-hub";

/**
 * The cache in a page: the origin's private file system, laid out as `models--owner--name/` with `blobs/DIGEST/` (pieces), `snapshots/COMMIT/`
 * (names of blobs) and `refs/`. A blob is read where it lies, so that memory holds what is read of it.
 *
 * @returns null where the page may store nothing
 */
export async function opfsStore(folder = FOLDER): Promise<HubStore | null> {
  let root: FileSystemDirectoryHandle;
  try {
    root = await (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true });
  } catch {
    return null; // no secure context, or a private window
  }
  const place = async (repository: string, ...names: readonly string[]): Promise<FileSystemDirectoryHandle> => {
    let at = root;
    for (const name of [`models--${repository.replace("/", "--")}`, ...names])
      at = await at.getDirectoryHandle(name, { create: true });
    return at;
  };
  const blobAt = async (repository: string, digest: string): Promise<Blob | null> => {
    const pieces = await place(repository, "blobs", digest);
    return (await readText(pieces, COMPLETE)) === null ? null : new Blob(await piecesIn(pieces));
  };

  return {
    folder: "this site's private storage",
    ref: async (repository, revision) => {
      const text = await readText(await place(repository, "refs"), encodeURIComponent(revision));
      return /^[0-9a-f]{40}$/.exec(text ?? "")?.[0] ?? null;
    },
    setRef: (repository, revision, commit) =>
      writing(async () => writeFile(await place(repository, "refs"), encodeURIComponent(revision), commit)),
    names: async (repository, commit) => {
      const names: string[] = [];
      for await (const name of (await place(repository, "snapshots", commit)).keys())
        names.push(decodeURIComponent(name));
      return names;
    },
    open: async (repository, commit, path) => {
      const digest = await readText(await place(repository, "snapshots", commit), encodeURIComponent(path));
      const blob = digest === null ? null : await blobAt(repository, digest);
      return blob && blobSource(blob, path);
    },
    link: async (repository, commit, path, { digest }) => {
      if ((await blobAt(repository, digest)) === null) return false;
      await writing(async () =>
        writeFile(await place(repository, "snapshots", commit), encodeURIComponent(path), digest),
      );
      return true;
    },
    begin: async (repository, blob) => {
      const pieces = await place(repository, "blobs", blob.digest);
      const release = await locked(`${folder} ${blob.digest}`);
      const held = await piecesIn(pieces);
      const received = held.reduce((sum, { size }) => sum + size, 0);
      const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
      if (blob.size - received <= quota - usage) return new IncomingPieces(pieces, blob, held, release);
      release();
      return null;
    },
  };
}

/** Waits until no other tab or call writes a blob; what it gives ends the turn. A page that is left gives it up. */
const locked = (name: string): Promise<() => void> =>
  new Promise((resolve, reject) => {
    navigator.locks.request(name, () => new Promise<void>((release) => resolve(release))).catch(reject);
  });

class IncomingPieces implements IncomingBlob {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #blob: BlobId;
  #received: number;
  /** What came of the piece that is not full, from its first byte. */
  #piece: Blob;
  /** Bytes that are filed; a file that is written again can no longer be read by who has it open. */
  #kept: number;
  readonly #release: () => void;

  constructor(folder: FileSystemDirectoryHandle, blob: BlobId, held: readonly File[], release: () => void) {
    this.#release = release;
    this.#folder = folder;
    this.#blob = blob;
    this.#received = held.reduce((sum, { size }) => sum + size, 0);
    this.#kept = this.#received;
    const last = held.at(-1);
    this.#piece = last && last.size < PIECE_BYTES ? last : new Blob();
  }

  get received(): number {
    return this.#received;
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    if (at !== this.#received) await this.#restart();
    for (let done = 0; done < bytes.length;) {
      const part = bytes.slice(done, done + PIECE_BYTES - this.#piece.size);
      this.#piece = new Blob([this.#piece, part]);
      this.#received += part.length;
      done += part.length;
      if (this.#piece.size < PIECE_BYTES) continue;
      await this.#keep();
      this.#piece = new Blob();
    }
  }

  async finish(): Promise<void> {
    await this.#keep();
    const { algorithm, digest } = this.#blob;
    const got = await digestOf(new Blob(await piecesIn(this.#folder)), algorithm);
    if (got === digest) return writing(() => writeFile(this.#folder, COMPLETE, ""));
    await this.#restart();
    throw checkpointError({
      source: digest,
      rule: `the download must have the ${algorithm} that the hub told, ${digest}`,
      got,
      remedy: "it was damaged on its way and is thrown away; load it again",
    });
  }

  async close(): Promise<void> {
    try {
      await this.#keep();
    } finally {
      this.#release();
    }
  }

  /** Files the piece that is not full. */
  async #keep(): Promise<void> {
    if (this.#kept === this.#received) return;
    const index = Math.floor((this.#received - 1) / PIECE_BYTES);
    await writing(() => writeFile(this.#folder, String(index), this.#piece));
    this.#kept = this.#received;
  }

  /** A server without ranges begins at the first byte; what was damaged is not gone on with. */
  async #restart(): Promise<void> {
    for (const { name } of await piecesIn(this.#folder)) await this.#folder.removeEntry(name);
    this.#received = 0;
    this.#kept = 0;
    this.#piece = new Blob();
  }
}

/** The pieces from the first on, as far as they follow each other. */
async function piecesIn(folder: FileSystemDirectoryHandle): Promise<File[]> {
  const pieces: File[] = [];
  do {
    const file = await fileIn(folder, String(pieces.length));
    if (file === null) break;
    pieces.push(file);
  } while (pieces.at(-1)?.size === PIECE_BYTES);
  return pieces;
}

async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}

const readText = async (folder: FileSystemDirectoryHandle, name: string): Promise<string | null> =>
  (await fileIn(folder, name))?.text() ?? null;

/** Takes the file's place when all is written. */
async function writeFile(folder: FileSystemDirectoryHandle, name: string, content: string | Blob): Promise<void> {
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await stream.write(content);
  await stream.close();
}

async function digestOf(blob: Blob, algorithm: BlobId["algorithm"]): Promise<string> {
  const [{ sha1 }, { sha256 }] = await Promise.all([
    import("@noble/hashes/legacy.js"),
    import("@noble/hashes/sha2.js"),
  ]);
  const hash = (algorithm === "sha256" ? sha256 : sha1).create();
  if (algorithm === "git-sha1") hash.update(new TextEncoder().encode(`blob ${blob.size}\0`));
  for (let at = 0; at < blob.size; at += PIECE_BYTES)
    hash.update(new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer()));
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function writing<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw checkpointError({
      source: "this site's private storage",
      rule: "must be writable",
      got: cause instanceof Error ? cause.message : "an error",
      remedy: "make room: remove what this or other sites keep in the browser",
      cause,
    });
  }
}
