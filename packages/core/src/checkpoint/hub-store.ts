import type { ByteSource } from "./byte-source.ts";

/** What identifies a file's contents: SHA-256 of large files, git's own SHA-1 of small ones. */
export interface BlobId {
  readonly algorithm: "sha256" | "git-sha1";
  /** Hexadecimal. */
  readonly digest: string;
  readonly size: number;
}

/** A file that is coming in. */
export interface IncomingBlob {
  /** Bytes that are there already. */
  readonly received: number;
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** Compares the checksum and files it. @throws CheckpointError when it differs: what came is thrown away */
  finish(): Promise<void>;
  /** Keeps what came for the next attempt. */
  close(): Promise<void>;
}

/** A cache of files of the hub. */
export interface HubStore {
  /** Where it is, for messages. */
  readonly folder: string;
  /** The commit that a revision stood for when it was last asked. */
  ref(repository: string, revision: string): Promise<string | null>;
  setRef(repository: string, revision: string, commit: string): Promise<void>;
  /** Paths of the files that are there of a commit. */
  names(repository: string, commit: string): Promise<readonly string[]>;
  /** Null where it is not there. */
  open(repository: string, commit: string, path: string): Promise<ByteSource | null>;
  /** Files a blob that is there already, of another commit, under a path. @returns false where it is not there */
  link(repository: string, commit: string, path: string, blob: BlobId): Promise<boolean>;
  /** Begins a download, or goes on with one; null where there is no room for it. */
  begin(repository: string, blob: BlobId): Promise<IncomingBlob | null>;
}
