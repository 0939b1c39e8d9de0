import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSafetensors } from "./safetensors.ts";
import { streamSafetensors, type TensorData, type TensorSource, writeSafetensors } from "./safetensors-writer.ts";
import { STORED_FORMATS, type StoredDType, storedView } from "./stored-dtype.ts";

const headerText = (file: Uint8Array) => {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  return new TextDecoder().decode(file.subarray(8, 8 + length));
};

const DTYPES = Object.keys(STORED_FORMATS) as readonly StoredDType[];

const tensorData: fc.Arbitrary<TensorData> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(3), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1) * STORED_FORMATS[dtype].itemBytes;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => ({ dtype, shape, data: storedView(dtype, Uint8Array.from(bytes)) }));
  });

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const record = fc.dictionary(
  fc.oneof(text, fc.constantFrom("__proto__", "constructor", "1", "0")).filter((name) => name !== "__metadata__"),
  tensorData,
  { maxKeys: 8 },
);
const metadataRecord = fc.dictionary(text, text, { maxKeys: 3 });

describe("writeSafetensors", () => {
  test("writes the bytes of the format", () => {
    const file = writeSafetensors(
      { bb: { shape: [2], data: Uint8Array.of(1, 2) }, a: { shape: [], data: Float32Array.of(1) } },
      { metadata: { z: "1", format: "pt" } },
    );
    expect(headerText(file)).toBe(
      '{"__metadata__":{"format":"pt","z":"1"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
        '"bb":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}       ',
    );
    expect([...file.subarray(-6)]).toEqual([0, 0, 0x80, 0x3f, 1, 2]);
  });

  test("what it writes is read back, every dtype, name and key, bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(record, metadataRecord, async (tensors, metadata) => {
        const read = await readSafetensors(writeSafetensors(tensors, { metadata }));
        expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
        expect(new Map(Object.entries(read.metadata))).toEqual(new Map(Object.entries(metadata)));
        for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
          const tensor = read.tensors[name];
          expect(tensor?.dtype).toBe(dtype);
          expect(tensor?.shape).toEqual(shape);
          expect(bytesOf(await tensor?.stored())).toEqual(bytesOf(data));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("gives the same bytes in whatever order tensors and metadata come, each tensor aligned", () => {
    fc.assert(
      fc.property(record, metadataRecord, (tensors, metadata) => {
        const reverse = <T>(items: Record<string, T>) => Object.fromEntries(Object.entries(items).reverse());
        const file = writeSafetensors(tensors, { metadata });
        expect(writeSafetensors(reverse(tensors), { metadata: reverse(metadata) })).toEqual(file);
        for (const [, dtype, begin] of headerText(file).matchAll(/"dtype":"(\w+)","shape":[^:]*:\[(\d+),/g)) {
          const format = Object.entries(STORED_FORMATS).find(([name]) => name === dtype)?.[1];
          expect((file.length - dataBytes(tensors) + Number(begin)) % (format?.array.BYTES_PER_ELEMENT ?? 0)).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("stores F32 as halves when asked, and nothing else", async () => {
    const tensors = {
      // 2049 lies between the halves 2048 and 2050 and goes to the even one; 1e-8 is below half of the smallest.
      w: { shape: [4], data: Float32Array.of(0.5, 2049, 1e-8, -Infinity) },
      ids: { shape: [1], data: Int32Array.of(70000) },
    };
    const file = writeSafetensors(tensors, { dtype: "f16" });
    const read = await readSafetensors(file);
    expect(read.tensors["w"]?.dtype).toBe("F16");
    expect(await read.tensors["w"]?.data()).toEqual(Float32Array.of(0.5, 2048, 0, -Infinity));
    expect(await read.tensors["ids"]?.data()).toEqual(Int32Array.of(70000));
  });

  test.each<readonly [string, () => unknown, string]>([
    [
      "a value that a half cannot hold",
      () => writeSafetensors({ w: { shape: [2], data: Float32Array.of(1, 65520) } }, { dtype: "f16" }),
      'tensor "w" must stay within ±65504 to be stored as f16, got 65520 at 1; store it as f32',
    ],
    [
      "data that do not fill the shape",
      () => writeSafetensors({ w: { shape: [3], data: new Float32Array(2) } }),
      'tensor "w" must have data that fill its shape, 12 bytes of F32, got 8; correct its shape',
    ],
    [
      "an array that is not of the dtype",
      () => writeSafetensors({ w: { shape: [2], dtype: "BF16", data: new Int32Array(2) } }),
      'tensor "w" must have its data in a Uint16Array to be stored as BF16, got Int32Array; convert it',
    ],
    [
      "a fractional shape",
      () => writeSafetensors({ w: { shape: [0.5], data: new Float32Array(2) } }),
      'tensor "w" must have a shape of non-negative integers, got [0.5]',
    ],
    [
      "the name of the metadata",
      () => writeSafetensors({ __metadata__: { shape: [0], data: new Float32Array(0) } }),
      'tensor "__metadata__" must have another name',
    ],
    [
      "a name that has no UTF-8",
      () => writeSafetensors({ "\ud800": { shape: [0], data: new Float32Array(0) } }),
      'the name "\\ud800" must be Unicode text',
    ],
    [
      "metadata that have no UTF-8",
      () => writeSafetensors({}, { metadata: { note: "\udc00" } }),
      'the metadata of "note" must be Unicode text',
    ],
  ])("refuses %s", (_, write, message) => {
    expect(write).toThrow(message);
  });
});

describe("streamSafetensors", () => {
  const source = (dtype: TensorSource["dtype"], data: Float32Array | Int32Array | Uint32Array): TensorSource => ({
    dtype,
    shape: [data.length],
    data: async () => data,
  });

  async function collect(pieces: AsyncIterable<Uint8Array>): Promise<number[]> {
    const bytes: number[] = [];
    for await (const piece of pieces) bytes.push(...piece);
    return bytes;
  }

  test("gives the file of writeSafetensors, booleans as BOOL", async () => {
    const [w, ids, seeds, mask] = [Float32Array.of(1, 2), Int32Array.of(-3), Uint32Array.of(4), Uint32Array.of(0, 9)];
    const streamed = streamSafetensors(
      [
        ["mask", source("bool", mask)],
        ["w", source("f32", w)],
        ["ids", source("i32", ids)],
        ["seeds", source("u32", seeds)],
      ],
      { dtype: "f16", metadata: { a: "b" } },
    );
    const whole = writeSafetensors(
      {
        w: { shape: [2], data: w },
        ids: { shape: [1], data: ids },
        seeds: { shape: [1], data: seeds },
        mask: { shape: [2], data: Uint8Array.of(0, 1), dtype: "BOOL" },
      },
      { dtype: "f16", metadata: { a: "b" } },
    );
    expect(await collect(streamed)).toEqual([...whole]);
  });

  test("asks for a tensor's data only when the pieces before it are taken", async () => {
    let asked = 0;
    const lazy: TensorSource = {
      dtype: "f32",
      shape: [1],
      data: async () => {
        asked++;
        return new Float32Array(1);
      },
    };
    const pieces = streamSafetensors([
      ["a", lazy],
      ["b", lazy],
    ]);
    const seen: number[] = [];
    for await (const _ of pieces) seen.push(asked);
    expect(seen).toEqual([0, 1, 2]);
  });

  test("refuses a name given twice", async () => {
    const w = source("f32", new Float32Array(1));
    await expect(
      collect(
        streamSafetensors([
          ["w", w],
          ["w", w],
        ]),
      ),
    ).rejects.toThrow('tensor "w" must be given once');
  });
});

function bytesOf(array: ArrayBufferView | undefined): Uint8Array | undefined {
  return array && new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function dataBytes(tensors: Record<string, TensorData>): number {
  return Object.values(tensors).reduce((total, { data }) => total + data.byteLength, 0);
}
