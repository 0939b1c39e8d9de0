import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gather, isRowMajor, refusedOverlap, type StridedView } from "./strided.ts";

const MIB = 2 ** 20;

/** The elements by definition: index times stride, summed. */
function plain({ itemBytes, offset, shape, strides }: StridedView, bytes: Uint8Array): number[] {
  let starts = [offset];
  for (const [axis, size] of shape.entries())
    starts = starts.flatMap((start) => Array.from({ length: size }, (_, i) => start + i * (strides[axis] ?? 0)));
  return starts.flatMap((start) => [...bytes.subarray(start * itemBytes, (start + 1) * itemBytes)]);
}

const view = fc
  .record({
    itemBytes: fc.constantFrom(1, 2, 4, 8),
    offset: fc.nat(5),
    axes: fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.nat(12) }), { maxLength: 4 }),
  })
  .map(({ itemBytes, offset, axes }) => ({
    itemBytes,
    offset,
    shape: axes.map(({ size }) => size),
    strides: axes.map(({ stride }) => stride),
  }));

describe("gather", () => {
  test("gives the elements by definition, whatever strides overlap or are zero", async () => {
    const storage = Uint8Array.from({ length: 2048 }, (_, i) => (i * 37) % 251);
    await fc.assert(
      fc.asyncProperty(view, async (v) => {
        const wanted = plain(v, storage);
        const read = async (begin: number, length: number) => storage.subarray(begin, begin + length);
        expect([...(await gather(v, wanted.length, read))]).toEqual(wanted);
        if (isRowMajor(v)) {
          const from = v.offset * v.itemBytes;
          expect(wanted).toEqual([...storage.subarray(from, from + wanted.length)]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("reads a large view front to back, a few MiB at a time", async () => {
    // 72 MiB of i64: the transpose of [4, 2.25 Mi]; the low word of element k is k
    const size = 2.25 * MIB;
    const v = { itemBytes: 8, offset: 0, shape: [size, 4], strides: [1, size] };
    const reads: [number, number][] = [];
    const read = async (begin: number, length: number) => {
      reads.push([begin, length]);
      const words = new Int32Array(length / 4);
      for (let i = 0; i < words.length; i += 2) words[i] = begin / 8 + i / 2;
      return new Uint8Array(words.buffer);
    };
    const dense = new Int32Array((await gather(v, 72 * MIB, read)).buffer);
    for (let i = 0; i < size; i += 9973) for (let j = 0; j < 4; j++) expect(dense[2 * (i * 4 + j)]).toBe(j * size + i);
    expect(reads.reduce((sum, [, length]) => sum + length, 0)).toBe(72 * MIB);
    expect(reads.every(([begin], i) => i === 0 || begin > (reads[i - 1]?.[0] ?? 0))).toBe(true);
  });
});

describe("refusedOverlap", () => {
  const bytesOf = ({ itemBytes, shape }: StridedView) => shape.reduce((a, b) => a * b, itemBytes);
  const refused = (v: StridedView, held: number) => refusedOverlap(v, bytesOf(v), held);

  test("lets slices, transposes and moderate expansion pass", () => {
    expect(refused({ itemBytes: 4, offset: 0, shape: [1000, 1000], strides: [1, 1000] }, 4e6)).toBeUndefined();
    expect(refused({ itemBytes: 4, offset: 0, shape: [10, 100], strides: [10 * MIB, 7] }, 400 * MIB)).toBeUndefined();
    expect(refused({ itemBytes: 4, offset: 0, shape: [1000, 1000], strides: [0, 1] }, 4000)).toBeUndefined();
  });

  test("refuses more bytes than 64 MiB above the storage, and wide windows", () => {
    expect(refused({ itemBytes: 4, offset: 0, shape: [17 * MIB], strides: [0] }, 4)).toBe(
      `${68 * MIB} bytes out of a storage of 4`,
    );
    const jumps = { itemBytes: 4, offset: 0, shape: new Array(18).fill(2), strides: new Array(18).fill(MIB) };
    expect(refused(jumps, 80 * MIB)).toContain("windows that overlap over");
  });
});
