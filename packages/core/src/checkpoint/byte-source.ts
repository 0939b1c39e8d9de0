import { checkpointError, DAMAGED } from "./checkpoint-error.ts";

/** Bytes at known offsets, read when asked for: a file of any size costs the memory of one read. */
export interface ByteSource {
  /** The source as the user knows it, for messages. */
  readonly name: string;
  /** Total bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`; not to be written to.
   * @throws CheckpointError when they cannot be had
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The source of another file in the same folder, where there is one. `fileName` holds no path. */
  sibling?(fileName: string): Promise<ByteSource>;
  /** Gives back what is behind it; it cannot be read afterwards. */
  close(): Promise<void>;
}

/** A source over bytes in memory; reads are views, not copies. */
export function bytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: async (offset, length) => {
      checkRange(name, bytes.byteLength, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    close: async () => {},
  };
}

/** A source over a Blob, or a File from an input element or a drop. */
export function blobSource(blob: Blob, name = "name" in blob ? String(blob.name) : "blob"): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => {
      checkRange(name, blob.size, offset, length);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        const got = cause instanceof Error ? cause.message : "an error";
        throw checkpointError({
          source: name,
          rule: "must be readable",
          got,
          remedy: "choose the file again",
          cause,
        });
      }
    },
    close: async () => {},
  };
}

/** @throws CheckpointError when a read leaves the source */
export function checkRange(source: string, size: number, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > size)
    throw checkpointError({
      source,
      rule: `reads must stay within its ${size} bytes`,
      got: `${length} bytes at ${offset}`,
      remedy: DAMAGED,
    });
}

/** An in-memory input as a source; a source as it is. */
export function toSource(input: Uint8Array | Blob | ByteSource): ByteSource {
  if (input instanceof Uint8Array) return bytesSource(input);
  return input instanceof Blob ? blobSource(input) : input;
}

/** @throws CheckpointError when a source breaks its promise on lengths */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.byteLength === length) return bytes;
  throw checkpointError({
    source: source.name,
    rule: `must give the ${length} bytes asked for at ${offset}`,
    got: `${bytes.byteLength}`,
    remedy: "load it again",
  });
}
