import { describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { type ByteSource, bytesSource } from "./byte-source.ts";
import { readSafetensors } from "./safetensors.ts";
import type { StoredDType } from "./stored-dtype.ts";

/** A file of the given header text and data, and nothing made right. */
function framed(header: string | Uint8Array, data: Uint8Array | number = 0, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + text.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(bytes, 8 + text.length);
  return file;
}

const entry = (name: string, dtype: string, shape: string, offsets: string) =>
  `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

/** A file of one tensor "x" that holds the words of `data`. */
function single(dtype: StoredDType, shape: readonly number[], data: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return framed(`{${entry("x", dtype, JSON.stringify(shape), `[0,${bytes.length}]`)}}`, bytes);
}

async function tensorX(file: Uint8Array) {
  const { tensors } = await readSafetensors(file);
  const { x } = tensors;
  if (x === undefined) throw new Error("no tensor x");
  return x;
}

describe("readSafetensors refuses", () => {
  const good = entry("a", "F32", "[4]", "[0,16]");
  const huge = 2 ** 40;
  const cases: Record<string, readonly [Uint8Array, string]> = {
    "a file below 8 bytes": [new Uint8Array(7), "a safetensors file must have at least 8 bytes, got 7"],
    "no header": [framed(""), "the header must be a JSON object, got 0 bytes"],
    "a header beyond the file": [
      framed("{}", 0, 3n),
      "the header must end within the file of 10 bytes, got a header of 3 bytes",
    ],
    "a header above 100 MB": [
      framed("{}", 0, 100_000_001n),
      "the header must be at most 100000000 bytes long, got 100000001",
    ],
    "a length whose low word alone is right": [framed("{}", 0, (1n << 32n) + 2n), "got 4294967298"],
    "the largest length": [framed("{}", 0, (1n << 64n) - 1n), "got 18446744073709552000"],
    "a zip archive": [
      new TextEncoder().encode("PK\x03\x04\x14\0\x08\x08rest of it"),
      "open it with openCheckpoint or readTorch",
    ],
    "a web page": [
      new TextEncoder().encode("<!DOCTYPE html><html>"),
      "download the file itself, not the page about it",
    ],
    "a Git LFS pointer": [
      new TextEncoder().encode("version https://git-lfs"),
      "fetch the file itself with git lfs pull",
    ],
    "a header that is not UTF-8": [framed(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), "the header must be UTF-8"],
    "a byte order mark": [framed("\ufeff{}"), 'the header must begin with "{", got byte 239'],
    "space before the header": [framed(" {}"), 'the header must begin with "{", got byte 32'],
    "zeros behind the header": [framed("{}\0"), 'the header must end in "}" and padding of spaces, got byte 0'],
    "a second value": [framed("{}{}"), 'JSON must have nothing more at character 2, got "{}"'],
    "a list": [framed("[]"), 'the header must begin with "{", got byte 91'],
    "a tensor named twice": [framed(`{${good},${good}}`, 16), 'got "a" twice'],
    "a field named twice": [
      framed('{"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}}', 16),
      'got "dtype" twice',
    ],
    "a tensor that is null": [framed('{"a":null}'), 'tensor "a" must be an object, got null'],
    "a tensor that is a list": [
      framed('{"a":["F32",[4],[0,16]]}', 16),
      'tensor "a" must be an object, got ["F32", [4], [0, 16]]',
    ],
    "no dtype": [framed('{"a":{"shape":[4],"data_offsets":[0,16]}}', 16), "got nothing; save it in one of these types"],
    "an unknown dtype": [framed(`{${entry("a", "F4", "[4]", "[0,2]")}}`, 2), 'got "F4"; save it in one of these types'],
    "a dtype in lower case": [framed(`{${entry("a", "f32", "[4]", "[0,16]")}}`, 16), 'got "f32"'],
    "a dtype named like a method": [framed(`{${entry("a", "toString", "[4]", "[0,16]")}}`, 16), 'got "toString"'],
    "a negative size": [framed(`{${entry("a", "F32", "[-2,-2]", "[0,16]")}}`, 16), "got [-2, -2]"],
    "a fractional size": [framed(`{${entry("a", "F32", "[4.0]", "[0,16]")}}`, 16), "got [4.0]"],
    "a size above 2^53": [
      framed(`{${entry("a", "F32", "[9007199254740993]", "[0,16]")}}`, 16),
      "got [9007199254740993]",
    ],
    "a shape too small": [
      framed(`{${entry("a", "F32", "[3]", "[0,16]")}}`, 16),
      "fills its 16 bytes, got F32 [3] of 12 bytes",
    ],
    "a shape of too wide a dtype": [framed(`{${entry("a", "F64", "[4]", "[0,16]")}}`, 16), "got F64 [4] of 32 bytes"],
    "a shape beyond all integers": [
      framed(`{${entry("a", "F32", `[${huge},${huge}]`, "[0,16]")}}`, 16),
      "of 2^53 or more bytes",
    ],
    "one offset": [framed(`{${entry("a", "F32", "[4]", "[0]")}}`, 16), "got [0]"],
    "three offsets": [framed(`{${entry("a", "F32", "[4]", "[0,16,16]")}}`, 16), "got [0, 16, 16]"],
    "reversed offsets": [framed(`{${entry("a", "F32", "[4]", "[16,0]")}}`, 16), "got [16, 0]"],
    "negative offsets": [framed(`{${entry("a", "F32", "[4]", "[-16,0]")}}`, 16), "got [-16, 0]"],
    "data cut short": [framed(`{${good}}`, 15), "tensors must cover the 15 bytes after the header, got 16 bytes"],
    "data left over": [framed(`{${good}}`, 17), "tensors must cover the 17 bytes after the header, got 16 bytes"],
    "a hole in front": [
      framed(`{${entry("a", "F32", "[4]", "[4,20]")}}`, 20),
      "must begin where the data before it ends, at 0, got 4",
    ],
    "a hole between": [framed(`{${good},${entry("b", "U8", "[1]", "[17,18]")}}`, 18), 'tensor "b" must begin'],
    "an overlap": [framed(`{${good},${entry("b", "F32", "[4]", "[8,24]")}}`, 24), 'tensor "b" must begin'],
    "shared bytes": [framed(`{${good},${entry("b", "F32", "[4]", "[0,16]")}}`, 16), 'tensor "b" must begin'],
    "an empty tensor elsewhere": [
      framed(`{${good},${entry("b", "F32", "[0]", "[99,99]")}}`, 16),
      'tensor "b" must begin',
    ],
    "metadata that is no text": [framed('{"__metadata__":{"step":1}}'), '__metadata__ "step" must be a string, got 1'],
    "metadata that is no object": [framed('{"__metadata__":["a"]}'), '__metadata__ must be an object, got ["a"]'],
  };

  test.each(Object.entries(cases))("%s", async (_, [file, message]) => {
    const error = await readSafetensors(file).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(String(error)).toContain(message);
  });

  test("names that would break or disguise a line of the terminal, in one escaped line", async () => {
    const name = `a\n\u001b[31m\u202e\u2028${"long".repeat(1000)}`;
    const error = await readSafetensors(framed(`{${JSON.stringify(name)}:0}`)).catch(String);
    expect(error).toMatch(/^CheckpointError: bytes: tensor "a\\n\\u001b\[31m\\u202e\\u2028longlong[^\n]{0,160}$/);
  });
});

describe("readSafetensors", () => {
  test("reads unaligned, reordered, empty and rank-0 tensors", async () => {
    const data = new Uint8Array(3 + 8 + 4);
    data.set([1, 2, 255]);
    new DataView(data.buffer).setFloat32(3, 0.25, true);
    new DataView(data.buffer).setFloat32(7, -1.5, true);
    new DataView(data.buffer).setFloat32(11, 7, true);
    const header = [
      entry("scalar", "F32", "[]", "[11,15]"),
      entry("empty", "F32", "[0,1099511627776,1099511627776]", "[11,11]"),
      entry("floats", "F32", "[1,2]", "[3,11]"),
      entry("bytes", "U8", "[3]", "[0,3]"),
    ];
    const { tensors } = await readSafetensors(framed(`{${header.join(",")}}`, data));
    expect(await tensors["bytes"]?.data()).toEqual(Int32Array.of(1, 2, 255));
    expect(await tensors["floats"]?.data()).toEqual(Float32Array.of(0.25, -1.5));
    expect(await tensors["scalar"]?.data()).toEqual(Float32Array.of(7));
    expect(tensors["scalar"]?.shape).toEqual([]);
    expect(await tensors["empty"]?.data()).toEqual(new Float32Array(0));
  });

  test("keeps names and keys that mean something to JavaScript", async () => {
    const names = ["__proto__", "constructor", "", "0", "权重.🎬", 'a\n"\\'];
    const header = names.map((name, i) => entry(name, "U8", "[1]", `[${i},${i + 1}]`)).join(",");
    const metadata = '"__metadata__":{"__proto__":"p","":"e"}';
    const file = framed(
      `{${metadata},${header}}`,
      Uint8Array.from(names, (_, i) => i),
    );
    const { tensors, metadata: read } = await readSafetensors(file);
    expect(Object.keys(tensors).sort()).toEqual([...names].sort());
    for (const [i, name] of names.entries()) expect(await tensors[name]?.data()).toEqual(Int32Array.of(i));
    expect(Object.entries(read)).toEqual([
      ["__proto__", "p"],
      ["", "e"],
    ]);
    expect("toString" in tensors || "toString" in read).toBe(false);
  });

  test("takes white space, unknown fields and null metadata as the reference reader does", async () => {
    const header =
      '{\n\t"__metadata__" : null ,\n "x" : {"dtype":"U8","shape":[ 1 ],"data_offsets":[0,1],"more":{"a":[true]}}\r\n}   ';
    expect(await (await tensorX(framed(header, Uint8Array.of(9)))).data()).toEqual(Int32Array.of(9));
  });

  test("reads the header alone, and of a tensor its own bytes only, in pieces", async () => {
    const values = new Float32Array(3 << 20);
    for (let i = 0; i < values.length; i++) values[i] = i;
    const file = single("F32", [3 << 20], values);
    const reads: (readonly [number, number])[] = [];
    const counted: ByteSource = {
      ...bytesSource(file, "counted"),
      read: async (offset, length) => {
        reads.push([offset, length]);
        return file.subarray(offset, offset + length);
      },
    };
    const { tensors } = await readSafetensors(counted);
    const dataStart = file.length - values.byteLength;
    expect(reads).toEqual([
      [0, 8],
      [8, dataStart - 8],
    ]);
    reads.length = 0;
    const read = await tensors["x"]?.data("f32");
    expect(read?.length).toBe(values.length);
    expect(read?.findIndex((value, i) => value !== i)).toBe(-1);
    expect(reads).toEqual([0, 1, 2].map((piece) => [dataStart + piece * (4 << 20), 4 << 20]));
  });

  test("notices a source that gives fewer bytes than asked", async () => {
    const source = { ...bytesSource(framed("{}")), read: async () => new Uint8Array(1) };
    await expect(readSafetensors(source)).rejects.toThrow("bytes: must give the 8 bytes asked for at 0, got 1");
  });

  test("reads a Blob", async () => {
    const file = single("I16", [2], Int16Array.of(-5, 9));
    const { tensors } = await readSafetensors(new Blob([Uint8Array.from(file)]));
    expect(await tensors["x"]?.data()).toEqual(Int32Array.of(-5, 9));
  });
});

describe("StoredTensor.data", () => {
  // Expected values from the definitions of the types; 0x3c00 and 0x3f80 are 1 in F16 and BF16.
  const max64 = 2n ** 63n - 1n;
  const cases: readonly (readonly [StoredDType, ArrayBufferView, readonly number[]])[] = [
    ["BOOL", Uint8Array.of(0, 1, 2), [0, 1, 1]],
    ["U8", Uint8Array.of(0, 255), [0, 255]],
    ["I8", Int8Array.of(-128, 127), [-128, 127]],
    ["F8_E5M2", Uint8Array.of(0x3c, 0x7b, 0x01, 0xfc, 0x7e), [1, 57344, 2 ** -16, -Infinity, NaN]],
    ["F8_E4M3", Uint8Array.of(0x38, 0x7e, 0x81, 0xff), [1, 448, -(2 ** -9), NaN]],
    ["F8_E8M0", Uint8Array.of(0, 127, 255), [2 ** -127, 1, NaN]],
    ["I16", Int16Array.of(-32768, 32767), [-32768, 32767]],
    ["U16", Uint16Array.of(0, 65535), [0, 65535]],
    ["F16", Uint16Array.of(0x3c00, 0x7bff, 0x8001, 0xfc00, 0x7e00), [1, 65504, -(2 ** -24), -Infinity, NaN]],
    ["BF16", Uint16Array.of(0x3f80, 0xff80, 0x0001, 0x7fc0), [1, -Infinity, 2 ** -133, NaN]],
    ["I32", Int32Array.of(-(2 ** 31), 16777217), [-(2 ** 31), 16777216]],
    ["U32", Uint32Array.of(7, 2 ** 32 - 1), [7, 2 ** 32]],
    ["F32", Float32Array.of(0.1, -0, Infinity), [Math.fround(0.1), -0, Infinity]],
    ["C64", Float32Array.of(1, 2, 3, 4), [1, 2, 3, 4]],
    ["F64", Float64Array.of(0.1, 1e300, -1e-300), [Math.fround(0.1), Infinity, -0]],
    ["I64", BigInt64Array.of(-7n, max64), [-7, 2 ** 63]],
    ["U64", BigUint64Array.of(7n, 2n ** 64n - 1n), [7, 2 ** 64]],
  ];

  test.each(cases)("gives %s as f32", async (dtype, stored, expected) => {
    const items = dtype === "C64" ? expected.length / 2 : expected.length;
    const x = await tensorX(single(dtype, [items], stored));
    expect(await x.data("f32")).toEqual(Float32Array.from(expected));
    expect(await x.stored()).toEqual(stored);
  });

  test("keeps the bits of F32, NaN payloads included", async () => {
    const words = Uint32Array.of(0x7fc00000, 0xffc12345, 0x7f800001, 1, 0x80000000);
    const data = await (await tensorX(single("F32", [5], words))).data("f32");
    expect(new Uint32Array(data.buffer)).toEqual(words);
  });

  test("gives integers as i32 and u32 where they fit", async () => {
    const ids = await tensorX(single("I64", [3], BigInt64Array.of(-5n, 0n, 2n ** 31n - 1n)));
    expect(await ids.data()).toEqual(Int32Array.of(-5, 0, 2 ** 31 - 1));
    await expect(ids.data("u32")).rejects.toThrow(
      'tensor "x" must hold integers from 0 to 4294967295 to be read as u32, got -5; read it stored()',
    );
    expect(await (await tensorX(single("U32", [1], Uint32Array.of(2 ** 32 - 1)))).data()).toEqual(
      Uint32Array.of(2 ** 32 - 1),
    );
    expect(await (await tensorX(single("BOOL", [2], Uint8Array.of(0, 3)))).data("u32")).toEqual(Uint32Array.of(0, 1));
  });

  test("refuses floats as integers", async () => {
    const x = await tensorX(single("F16", [1], Uint16Array.of(0x3c00)));
    await expect(x.data("i32")).rejects.toThrow(
      'tensor "x" must hold integers to be read as i32, got F16; read it as f32',
    );
  });
});
