import { type ByteSource, readExactly } from "./byte-source.ts";
import { checkpointError, DAMAGED, quote } from "./checkpoint-error.ts";

/** A file of a zip archive, as the directory has it. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes of its content. */
  readonly bytes: number;
  readonly storedBytes: number;
  /** 0 is not compressed. */
  readonly method: number;
  readonly encrypted: boolean;
  /** Where its local header begins. */
  readonly headerAt: number;
}

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;

const END_SIGNATURE = 0x06054b50;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;

// Several times what a checkpoint of 100,000 tensors has.
const MAX_DIRECTORY_BYTES = 64 << 20;
const MAX_ENTRIES = 1 << 19;

const ALL_ONES = 0xffffffff;

type Fail = (rule: string, got: string, remedy?: string) => never;

function failing(source: string): Fail {
  return (rule, got, remedy = DAMAGED) => {
    throw checkpointError({ source, rule, got, remedy });
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit integer; beyond 2^53 it is rounded, and larger than any file. */
function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/**
 * The directory of a zip or zip64 archive, by name. Only the end of the file is read.
 *
 * @throws CheckpointError when it has none, or one that points out of the file or names a file twice
 * @see https://pkware.cachefly.net/webdocs/APPNOTE/APPNOTE-6.3.9.TXT
 */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const fail = failing(source.name);
  const { at, bytes, count } = await findDirectory(source, fail);
  if (bytes > MAX_DIRECTORY_BYTES || count > MAX_ENTRIES)
    fail(`an archive must list at most ${MAX_ENTRIES} files in ${MAX_DIRECTORY_BYTES} bytes`, `${count} in ${bytes}`);
  if (at + bytes > source.size) fail(`the list of files must lie within the ${source.size} bytes`, `${bytes} at ${at}`);
  const directory = await readExactly(source, at, bytes);
  const entries = new Map<string, ZipEntry>();
  for (let cursor = 0, i = 0; i < count; i++) {
    const { entry, end } = centralEntry(directory, cursor, fail);
    if (entries.has(entry.name)) fail("an archive must name each file once", `${quote(entry.name)} twice`);
    entries.set(entry.name, entry);
    cursor = end;
  }
  return entries;
}

async function findDirectory(source: ByteSource, fail: Fail): Promise<{ at: number; bytes: number; count: number }> {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
  const tailAt = source.size - tailBytes;
  const tail = viewOf(await readExactly(source, tailAt, tailBytes));
  let end = tailBytes - END_BYTES;
  const isEnd = (at: number) =>
    tail.getUint32(at, true) === END_SIGNATURE && at + END_BYTES + tail.getUint16(at + 20, true) === tailBytes;
  while (end >= 0 && !isEnd(end)) end--;
  if (end < 0) return fail("an archive must have its list of files at its end", "none");

  const locator = end - LOCATOR_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR_SIGNATURE) {
    const at = u64(tail, locator + 8);
    if (at + END64_BYTES > source.size) fail(`the list of files must lie within the ${source.size} bytes`, `${at}`);
    const record = viewOf(await readExactly(source, at, END64_BYTES));
    if (record.getUint32(0, true) !== END64_SIGNATURE)
      fail("an archive must have a zip64 record where it says", "none");
    const parts = record.getUint32(16, true) + record.getUint32(20, true);
    if (parts !== 0 || u64(record, 24) !== u64(record, 32)) fail("an archive must be of one part", "several");
    return { count: u64(record, 32), bytes: u64(record, 40), at: u64(record, 48) };
  }
  const parts = tail.getUint16(end + 4, true) + tail.getUint16(end + 6, true);
  if (parts !== 0 || tail.getUint16(end + 8, true) !== tail.getUint16(end + 10, true))
    fail("an archive must be of one part", "several");
  return {
    count: tail.getUint16(end + 10, true),
    bytes: tail.getUint32(end + 12, true),
    at: tail.getUint32(end + 16, true),
  };
}

function centralEntry(directory: Uint8Array, at: number, fail: Fail): { entry: ZipEntry; end: number } {
  const view = viewOf(directory);
  const cut = () => fail("an archive's list of files must be whole", `an end at ${directory.length}`);
  if (at + CENTRAL_BYTES > directory.length) cut();
  if (view.getUint32(at, true) !== CENTRAL_SIGNATURE) fail("an archive's list must hold files", `other bytes at ${at}`);
  const nameAt = at + CENTRAL_BYTES;
  const extraAt = nameAt + view.getUint16(at + 28, true);
  const commentAt = extraAt + view.getUint16(at + 30, true);
  const end = commentAt + view.getUint16(at + 32, true);
  if (end > directory.length) cut();
  const name = decodeName(directory.subarray(nameAt, extraAt), fail);

  let storedBytes = view.getUint32(at + 20, true);
  let bytes = view.getUint32(at + 24, true);
  let headerAt = view.getUint32(at + 42, true);
  const large = zip64Field(view, extraAt, commentAt);
  const next = (value: number): number => {
    if (value !== ALL_ONES || large === undefined) return value;
    if (large.at + 8 > large.end) fail(`${quote(name)} must have its sizes of 64 bits`, "fewer");
    large.at += 8;
    return u64(view, large.at - 8);
  };
  bytes = next(bytes);
  storedBytes = next(storedBytes);
  headerAt = next(headerAt);
  const encrypted = (view.getUint16(at + 8, true) & 1) !== 0;
  return { entry: { name, bytes, storedBytes, method: view.getUint16(at + 10, true), encrypted, headerAt }, end };
}

/** The extra field of 64-bit sizes among those between two offsets. */
function zip64Field(view: DataView, from: number, to: number): { at: number; readonly end: number } | undefined {
  for (let at = from; at + 4 <= to;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > to) return undefined;
    if (view.getUint16(at, true) === 1) return { at: at + 4, end };
    at = end;
  }
  return undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeName(bytes: Uint8Array, fail: Fail): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return fail("an archive's names must be UTF-8", "other bytes");
  }
}

/**
 * Where the content of a file that is not compressed begins.
 *
 * @throws CheckpointError when it is compressed or encrypted, or does not lie within the archive
 */
export async function locateEntry(source: ByteSource, entry: ZipEntry): Promise<number> {
  const fail = failing(source.name);
  const name = quote(entry.name);
  if (entry.headerAt + LOCAL_BYTES > source.size) fail(`${name} must lie within the archive`, `${entry.headerAt}`);
  const header = viewOf(await readExactly(source, entry.headerAt, LOCAL_BYTES));
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE || header.getUint16(8, true) !== entry.method)
    fail(`${name} must be where the archive's list says`, `other bytes at ${entry.headerAt}`);
  const begin = entry.headerAt + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (begin + entry.bytes > source.size)
    fail(`${name} must lie within the archive`, `${entry.bytes} bytes at ${begin}`);
  return begin;
}
