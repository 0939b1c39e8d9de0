import { files } from "#files";
import { MediaError } from "./media-error.ts";

/** Where a media file comes from: a path (in a browser a URL), a Blob or File, or its bytes. */
export type MediaSource = string | Blob | Uint8Array;

/** Random access to the bytes of a source. `read` may return fewer bytes only at the end. */
export interface ByteReader {
  /** How messages name the source. */
  readonly name: string;
  /** Length in bytes, at least 1. */
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a source for reading.
 *
 * @throws MediaError `missing` when the path does not lead to a readable file, `empty` when it has no bytes
 */
export async function openBytes(source: MediaSource): Promise<ByteReader> {
  const reader = typeof source === "string" ? await files.open(source) : readerOf(source);
  if (reader.size > 0) return reader;
  await reader.close();
  throw new MediaError("empty", reader.name, "the file is empty (0 bytes); give a file with content");
}

/** A reader over a Blob or over bytes in memory. */
export function readerOf(source: Blob | Uint8Array, name = sourceName(source)): ByteReader {
  const close = () => Promise.resolve();
  if (source instanceof Uint8Array) {
    // A Buffer is a Uint8Array whose `slice` does not copy.
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.length);
    return { name, size: bytes.length, read: (start, end) => Promise.resolve(bytes.subarray(start, end)), close };
  }
  const read = async (start: number, end: number) => new Uint8Array(await source.slice(start, end).arrayBuffer());
  return { name, size: source.size, read, close };
}

/** How messages name a source. */
export function sourceName(source: MediaSource): string {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return "the given bytes";
  return "name" in source && typeof source.name === "string" ? source.name : "the given blob";
}
