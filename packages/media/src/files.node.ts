import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, access, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StreamTarget, type StreamTargetChunk } from "mediabunny";
import type { Files, PendingFile } from "./files.ts";
import { MediaError, causeText } from "./media-error.ts";
import type { ByteReader } from "./source.ts";

/** Files by path, in Node. */
export const files: Files = {
  async open(path) {
    const handle = await open(path, "r").catch((cause: unknown) => {
      throw new MediaError("missing", path, readAdvice(cause), cause);
    });
    try {
      const status = await handle.stat();
      if (status.isDirectory()) throw new MediaError("missing", path, "this is a folder; give the path of a file");
      return readerOfHandle(path, handle, status.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  },

  async write(path, bytes) {
    const file = await openAside(path);
    try {
      await writeAll(file.handle, bytes, 0);
      await file.commit();
    } catch (cause) {
      await file.discard();
      throw unwritable(path, cause);
    }
  },

  async create(path) {
    const file = await openAside(path);
    let failure: MediaError | undefined;
    const writable = new WritableStream<StreamTargetChunk>({
      async write({ data, position }) {
        try {
          await writeAll(file.handle, data, position);
        } catch (cause) {
          failure ??= unwritable(path, cause);
          throw failure;
        }
      },
    });
    const pending: PendingFile = {
      // Chunked: the muxer's many small writes would each be a system call.
      target: new StreamTarget(writable, { chunked: true, chunkSize: 1 << 20 }),
      async commit() {
        try {
          await file.commit();
        } catch (cause) {
          await file.discard();
          throw unwritable(path, cause);
        }
      },
      discard: () => file.discard(),
      error: () => failure,
    };
    return pending;
  },
};

function readerOfHandle(path: string, handle: FileHandle, size: number): ByteReader {
  return {
    name: path,
    size,
    async read(start, end) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    close: () => handle.close(),
  };
}

async function openAside(path: string) {
  const folder = dirname(path);
  await checkWritable(path, folder);
  const aside = join(folder, `.${basename(path).slice(0, 60)}.${randomBytes(4).toString("hex")}.part`);
  const handle = await open(aside, "wx+").catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  let closed = false;
  const close = async () => {
    if (!closed) await handle.close();
    closed = true;
  };
  return {
    handle,
    async commit() {
      await close();
      await rename(aside, path);
    },
    async discard() {
      await close().catch(() => undefined);
      await rm(aside, { force: true });
    },
  };
}

async function checkWritable(path: string, folder: string): Promise<void> {
  const parent = await stat(folder).catch(() => undefined);
  if (!parent?.isDirectory()) {
    throw new MediaError("unwritable", path, `the folder ${folder} does not exist; create it or choose another output`);
  }
  const existing = await stat(path).catch(() => undefined);
  if (existing === undefined) return;
  if (existing.isDirectory()) throw new MediaError("unwritable", path, "this is a folder; give the path of a file");
  // A rename would replace a read-only file without asking.
  await access(path, constants.W_OK).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

function readAdvice(cause: unknown): string {
  const code = errorCode(cause);
  if (code === "ENOENT" || code === "ENOTDIR") return "no such file; check the path";
  if (code === "EACCES" || code === "EPERM") return "the file may not be read; check its permissions";
  return `the file cannot be opened (${causeText(cause)}); check the path`;
}

function unwritable(path: string, cause: unknown): MediaError {
  if (cause instanceof MediaError) return cause;
  return new MediaError("unwritable", path, writeAdvice(cause), cause);
}

function writeAdvice(cause: unknown): string {
  switch (errorCode(cause)) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return "the disk is full; free some space or choose another output";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "it may not be written here; check the permissions or choose another output";
    default:
      return `it cannot be written (${causeText(cause)}); choose another output`;
  }
}

function errorCode(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}
