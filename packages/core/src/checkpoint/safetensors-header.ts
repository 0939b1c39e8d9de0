import { checkpointError, DAMAGED, quote } from "./checkpoint-error.ts";
import { isStoredDType, STORED_FORMATS, storedFormat, type StoredDType } from "./stored-dtype.ts";
import { describeJson, type Json, jsonInteger, jsonObject, parseStrictJson } from "./strict-json.ts";

/** Bytes in front of the header: its length, as an unsigned 64-bit little-endian integer. */
export const LENGTH_BYTES = 8;
/** The format's limit, that of its reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = "__metadata__";

/** One tensor of a header; `begin` and `end` are bytes from the start of the data. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes, which they cover without hole or overlap. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The header's length, out of the first eight bytes of a file of `fileBytes` bytes.
 *
 * @throws CheckpointError when no such header can be in the file; common other formats are named
 */
export function headerLength(start: Uint8Array, fileBytes: number, source: string): number {
  const fail: Fail = (rule, got, remedy = DAMAGED) => {
    throw checkpointError({ source, rule, got, remedy });
  };
  if (fileBytes < LENGTH_BYTES) fail("a safetensors file must have at least 8 bytes", `${fileBytes}`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const [low, high] = [view.getUint32(0, true), view.getUint32(4, true)];
  const length = high * 2 ** 32 + low;
  if (length > MAX_HEADER_BYTES) {
    const foreign = foreignFormat(start);
    const got = foreign === undefined ? `${length}` : `${length} (this looks like ${foreign.what})`;
    fail(`the header must be at most ${MAX_HEADER_BYTES} bytes long`, got, foreign?.remedy);
  }
  if (length > fileBytes - LENGTH_BYTES)
    fail(`the header must end within the file of ${fileBytes} bytes`, `a header of ${length} bytes`);
  if (length < 2) fail("the header must be a JSON object", `${length} bytes`);
  return length;
}

/**
 * The checked contents of a header.
 *
 * Every rule of the format is enforced: strict JSON with unique keys, known element types, shapes whose bytes equal the tensor's
 * byte range, ranges that cover the data exactly. What it returns can be read without further checks.
 *
 * @param bytes the header, from its `{` through its padding
 * @param dataBytes bytes between the header and the end of the file
 * @throws CheckpointError
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, source: string): SafetensorsHeader {
  const fail: Fail = (rule, got, remedy = DAMAGED) => {
    throw checkpointError({ source, rule, got, remedy });
  };
  if (bytes[0] !== 0x7b) fail('the header must begin with "{"', `byte ${bytes[0]}`);
  let end = bytes.length;
  while (bytes[end - 1] === 0x20) end--;
  if (bytes[end - 1] !== 0x7d) fail('the header must end in "}" and padding of spaces', `byte ${bytes[end - 1]}`);
  const root = jsonObject(parseStrictJson(decodeUtf8(bytes.subarray(0, end), fail), fail));
  if (root === undefined) return fail("the header must be a JSON object", "another value");

  const entries: TensorEntry[] = [];
  for (const [name, json] of root) if (name !== METADATA_KEY) entries.push(tensorEntry(name, json, fail));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let cursor = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== cursor)
      fail(`tensor ${quote(name)} must begin where the data before it ends, at ${cursor}`, `${begin}`);
    cursor = end;
  }
  if (cursor !== dataBytes) fail(`tensors must cover the ${dataBytes} bytes after the header`, `${cursor} bytes`);
  return { entries, metadata: metadataRecord(root.get(METADATA_KEY), fail) };
}

type Fail = (rule: string, got: string, remedy?: string) => never;

function decodeUtf8(bytes: Uint8Array, fail: Fail): string {
  try {
    // A byte order mark is kept, so that the JSON parser refuses it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail("the header must be UTF-8", "other bytes");
  }
}

function tensorEntry(name: string, json: Json, fail: Fail): TensorEntry {
  const tensor = `tensor ${quote(name)}`;
  const fields = jsonObject(json);
  if (fields === undefined) return fail(`${tensor} must be an object`, describeJson(json));

  const dtype = fields.get("dtype");
  if (typeof dtype !== "string" || !isStoredDType(dtype)) {
    const supported = Object.keys(STORED_FORMATS).join(" ");
    return fail(`${tensor} must have a dtype of ${supported}`, describeJson(dtype), "save it in one of these types");
  }

  const shape = integerList(fields.get("shape"));
  if (shape === undefined)
    return fail(`${tensor} must have a shape of integers from 0 to 2^53 - 1`, describeJson(fields.get("shape")));

  const [begin, end, ...more] = integerList(fields.get("data_offsets")) ?? [];
  if (begin === undefined || end === undefined || more.length > 0 || end < begin)
    return fail(
      `${tensor} must have data_offsets [begin, end] with 0 <= begin <= end`,
      describeJson(fields.get("data_offsets")),
    );

  const bytes = shapeBytes(dtype, shape);
  if (bytes !== end - begin)
    fail(
      `${tensor} must have a shape that fills its ${end - begin} bytes`,
      `${dtype} [${shape.slice(0, 16).join(", ")}] of ${bytes ?? "2^53 or more"} bytes`,
    );
  return { name, dtype, shape, begin, end };
}

function integerList(json: Json | undefined): readonly number[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const integers: number[] = [];
  for (const item of json) {
    const integer = jsonInteger(item);
    if (integer === undefined) return undefined;
    integers.push(integer);
  }
  return integers;
}

/** Bytes of a dense tensor, or undefined where they are 2^53 or more: no product here is ever rounded. */
export function shapeBytes(dtype: StoredDType, shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0;
  let bytes = storedFormat(dtype).itemBytes;
  for (const size of shape) {
    bytes *= size;
    if (bytes > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return bytes;
}

function metadataRecord(json: Json | undefined, fail: Fail): Readonly<Record<string, string>> {
  // Without a prototype: "__proto__" is a key like another.
  const metadata: Record<string, string> = Object.create(null);
  // The reference reader takes null for absent.
  if (json === undefined || json === null) return metadata;
  const fields = jsonObject(json);
  if (fields === undefined) return fail(`${METADATA_KEY} must be an object`, describeJson(json));
  for (const [key, value] of fields) {
    if (typeof value !== "string") return fail(`${METADATA_KEY} ${quote(key)} must be a string`, describeJson(value));
    metadata[key] = value;
  }
  return metadata;
}

function foreignFormat(start: Uint8Array): { what: string; remedy: string } | undefined {
  const text = String.fromCharCode(...start.subarray(0, LENGTH_BYTES));
  const open = "open it with openCheckpoint or readTorch";
  if (text.startsWith("PK\x03\x04")) return { what: "a zip archive or a PyTorch .pt file", remedy: open };
  if (start[0] === 0x80) return { what: "a Python pickle", remedy: open };
  if (text.startsWith("GGUF")) return { what: "a GGUF file", remedy: "convert it to safetensors first" };
  if (text.startsWith("version "))
    return { what: "a Git LFS pointer", remedy: "fetch the file itself with git lfs pull" };
  if (/^\s*</.test(text)) return { what: "a web page", remedy: "download the file itself, not the page about it" };
  if (text.startsWith("{")) return { what: "JSON", remedy: "pass a shard index under a name that ends in .index.json" };
  return undefined;
}
