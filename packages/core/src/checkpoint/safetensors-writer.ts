import { checkpointError, quote } from "./checkpoint-error.ts";
import type { DType } from "../base/dtype.ts";
import { f16FromF32Bits } from "../base/half.ts";
import { packed } from "../base/packed.ts";
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, shapeBytes } from "./safetensors-header.ts";
import { STORED_ORDER, type StoredArray, type StoredDType, storedFormat } from "./stored-dtype.ts";

/** A tensor to write: `data` in row-major order. Without `dtype` the array's own type is stored. */
export interface TensorData {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** As many values as the shape has, two for each of C64. */
  readonly data: StoredArray;
  /** For data that an array does not name: BOOL and 8-bit floats in a Uint8Array, F16 and BF16 bits in a Uint16Array or numbers in a Float32Array, C64. */
  readonly dtype?: StoredDType;
}

/** A tensor whose values are fetched when its turn comes to be written; a `Tensor` is one. */
export interface TensorSource {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Type of its elements. */
  readonly dtype: DType;
  /** The values in row-major order. */
  data(): Promise<StoredArray>;
}

/** What a written file holds besides tensors, and how precise it is. */
export interface WriteOptions {
  /** Text kept beside the tensors, such as the model's config. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** `"f16"` and `"bf16"` store F32 tensors as halves, rounded to nearest even; a value beyond ±65504 is refused as f16. Default `"f32"`. */
  readonly dtype?: "f32" | "f16" | "bf16";
}

interface Planned<T> {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly bytes: number;
  readonly tensor: T;
}

/**
 * A safetensors file in memory. The same tensors and metadata give the same bytes in whatever order they come; every tensor is
 * aligned to its element. For a file use `writeCheckpoint`, which needs no second copy.
 *
 * @throws CheckpointError when a tensor cannot be stored as asked
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, TensorData>>,
  options: WriteOptions = {},
): Uint8Array {
  const { header, planned } = plan(Object.entries(tensors), storedAs, options);
  const file = new Uint8Array(planned.reduce((total, { bytes }) => total + bytes, header.length));
  file.set(header);
  let at = header.length;
  for (const { name, dtype, bytes, tensor } of planned) {
    file.set(encode(name, dtype, bytes, tensor.data), at);
    at += bytes;
  }
  return file;
}

/**
 * The same file in pieces, one tensor after another; each is asked for its data when the pieces before it are taken.
 *
 * @throws CheckpointError as `writeSafetensors`, while it is iterated
 */
export async function* streamSafetensors(
  tensors: Iterable<readonly [string, TensorSource]>,
  options: WriteOptions = {},
): AsyncGenerator<Uint8Array> {
  const { header, planned } = plan(tensors, ({ dtype }) => SOURCE_DTYPES[dtype], options);
  yield header;
  for (const { name, dtype, bytes, tensor } of planned) {
    const data = await tensor.data();
    yield encode(name, dtype, bytes, dtype === "BOOL" ? booleans(data) : data);
  }
}

/** A tensor that is written as its bytes come. */
export interface StoredSource {
  /** Element type in the file. */
  readonly dtype: StoredDType;
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** The elements as stored, little-endian and in row-major order, in pieces of any size. */
  bytes(): AsyncIterable<Uint8Array>;
}

/**
 * A safetensors file in pieces, of tensors that are never in memory whole.
 *
 * @throws CheckpointError as `writeSafetensors`, and when a tensor gives more or fewer bytes than its shape has
 */
export async function* streamStored(
  tensors: Iterable<readonly [string, StoredSource]>,
  options: Pick<WriteOptions, "metadata"> = {},
): AsyncGenerator<Uint8Array> {
  const { header, planned } = plan(tensors, ({ dtype }) => dtype, options);
  yield header;
  for (const { name, dtype, bytes, tensor } of planned) {
    let given = 0;
    for await (const piece of tensor.bytes()) {
      given += piece.byteLength;
      yield piece;
    }
    if (given !== bytes)
      fail(name, `must have data that fill its shape, ${bytes} bytes of ${dtype}`, `${given}`, "correct its shape");
  }
}

function booleans(data: StoredArray): Uint8Array {
  const out = new Uint8Array(data.length);
  let at = 0;
  for (const value of data) out[at++] = value ? 1 : 0;
  return out;
}

const FLOAT_DTYPES = { f32: "F32", f16: "F16", bf16: "BF16" } as const satisfies Record<string, StoredDType>;

const SOURCE_DTYPES = {
  f32: "F32",
  i32: "I32",
  u32: "U32",
  bool: "BOOL",
  f16: "F16",
  bf16: "BF16",
  u8: "U8",
} as const satisfies Record<DType, StoredDType>;

const ARRAY_DTYPES: ReadonlyMap<string, StoredDType> = new Map([
  ["Uint8Array", "U8"],
  ["Int8Array", "I8"],
  ["Uint16Array", "U16"],
  ["Int16Array", "I16"],
  ["Uint32Array", "U32"],
  ["Int32Array", "I32"],
  ["Float32Array", "F32"],
  ["Float64Array", "F64"],
  ["BigUint64Array", "U64"],
  ["BigInt64Array", "I64"],
]);

function storedAs(tensor: TensorData, name: string): StoredDType {
  const own = ARRAY_DTYPES.get(arrayType(tensor.data));
  if (own === undefined) return fail(name, "must have its data in a typed array", arrayType(tensor.data), "convert it");
  return tensor.dtype ?? own;
}

function arrayType(data: StoredArray): string {
  return data[Symbol.toStringTag];
}

function fail(name: string, rule: string, got: string, remedy: string): never {
  throw checkpointError({ source: "writeSafetensors", rule: `tensor ${quote(name)} ${rule}`, got, remedy });
}

/** The order of the tensors, and the header with its length in front and padding behind. */
function plan<T extends { readonly shape: readonly number[] }>(
  tensors: Iterable<readonly [string, T]>,
  storedAs: (tensor: T, name: string) => StoredDType,
  { metadata = {}, dtype: floats = "f32" }: WriteOptions,
): { header: Uint8Array; planned: readonly Planned<T>[] } {
  const planned: Planned<T>[] = [];
  for (const [name, tensor] of tensors) {
    if (name === METADATA_KEY) fail(name, "must have another name", "the name of the metadata", "rename it");
    checkText(`the name ${quote(name)}`, name);
    if (!tensor.shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      fail(name, "must have a shape of non-negative integers", `[${tensor.shape.join(", ")}]`, "correct its shape");
    const own = storedAs(tensor, name);
    const dtype = own === "F32" ? FLOAT_DTYPES[floats] : own;
    const bytes = shapeBytes(dtype, tensor.shape);
    if (bytes === undefined)
      return fail(name, "must be below 2^53 bytes", `[${tensor.shape.join(", ")}]`, "correct its shape");
    planned.push({ name, dtype, bytes, tensor });
  }
  // The reference writer's order, and code units for the rest: no locale may change the file.
  const rank = ({ dtype }: Planned<T>) => STORED_ORDER.get(dtype) ?? 0;
  planned.sort((a, b) => rank(b) - rank(a) || compareText(a.name, b.name));

  const fields: string[] = [];
  const described = Object.entries(metadata).sort(([a], [b]) => compareText(a, b));
  for (const [key, value] of described) {
    checkText(`the metadata key ${quote(key)}`, key);
    checkText(`the metadata of ${quote(key)}`, value);
  }
  if (described.length > 0)
    fields.push(
      `"${METADATA_KEY}":{${described.map((pair) => pair.map((text) => JSON.stringify(text)).join(":")).join(",")}}`,
    );
  let begin = 0;
  let previous: string | undefined;
  for (const { name, dtype, bytes, tensor } of planned) {
    if (name === previous) fail(name, "must be given once", "it twice", "rename one");
    const info = `{"dtype":"${dtype}","shape":[${tensor.shape.join(",")}],"data_offsets":[${begin},${begin + bytes}]}`;
    fields.push(`${JSON.stringify(name)}:${info}`);
    begin += bytes;
    previous = name;
  }
  return { header: frameHeader(`{${fields.join(",")}}`), planned };
}

function frameHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > MAX_HEADER_BYTES)
    throw checkpointError({
      source: "writeSafetensors",
      rule: `names, shapes and metadata must take at most ${MAX_HEADER_BYTES} bytes`,
      got: `${length}`,
      remedy: "store fewer tensors or less metadata in a file",
    });
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return header;
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Lone surrogates have no UTF-8: they would become U+FFFD, and two names one. */
function checkText(what: string, text: unknown): void {
  if (typeof text === "string" && !/\p{Cs}/u.test(text)) return;
  const got = typeof text === "string" ? quote(text) : typeof text;
  throw checkpointError({
    source: "writeSafetensors",
    rule: `${what} must be Unicode text`,
    got,
    remedy: "change it",
  });
}

function encode(name: string, dtype: StoredDType, bytes: number, data: StoredArray): Uint8Array {
  const halve = (dtype === "F16" || dtype === "BF16") && data instanceof Float32Array;
  const array = halve ? "Float32Array" : storedFormat(dtype).array.name;
  if (arrayType(data) !== array)
    fail(name, `must have its data in a ${array} to be stored as ${dtype}`, arrayType(data), "convert it");
  const held = halve ? data.byteLength / 2 : data.byteLength;
  if (held !== bytes)
    fail(name, `must have data that fill its shape, ${bytes} bytes of ${dtype}`, `${held}`, "correct its shape");
  if (halve) return floatBytes(name, dtype, data);
  return new Uint8Array(data.buffer, data.byteOffset, bytes);
}

/** Numbers as the bytes of a float type. @throws CheckpointError for a value beyond ±65504 as F16 */
export function floatBytes(name: string, dtype: "F32" | "F16" | "BF16", data: Float32Array): Uint8Array {
  const stored = dtype === "F32" ? data : dtype === "F16" ? halves(name, data) : packed(data, "bf16");
  return new Uint8Array(stored.buffer, stored.byteOffset, data.length * (dtype === "F32" ? 4 : 2));
}

function halves(name: string, data: Float32Array): Uint16Array {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint16Array(data.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    const half = f16FromF32Bits(word);
    if ((half & 0x7fff) === 0x7c00 && (word & 0x7fffffff) !== 0x7f800000)
      fail(name, "must stay within ±65504 to be stored as f16", `${data[i]} at ${i}`, "store it as f32");
    out[i] = half;
  }
  return out;
}
