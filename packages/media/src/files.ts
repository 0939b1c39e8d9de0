import type { Target } from "mediabunny";
import type { ByteReader } from "./source.ts";

/** A file being written beside its final place. */
export interface PendingFile {
  /** Where mediabunny writes. */
  readonly target: Target;
  /** Closes the file and gives it its final name. */
  commit(): Promise<void>;
  /** Closes the file and removes it. Safe to call twice. */
  discard(): Promise<void>;
  /** The first write that failed, as a MediaError: a muxer may report another failure that follows from it. */
  error(): Error | undefined;
}

/** What a platform must provide to reach files by path. */
export interface Files {
  /** @throws MediaError `missing` */
  open(path: string): Promise<ByteReader>;
  /** Writes a whole file aside, then renames it. @throws MediaError `unwritable` */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Starts a file that is written in pieces at any position. @throws MediaError `unwritable` */
  create(path: string): Promise<PendingFile>;
}
