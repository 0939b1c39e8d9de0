import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { readSafetensors } from "./safetensors.ts";
import { shapeBytes } from "./safetensors-header.ts";
import { writeSafetensors } from "./safetensors-writer.ts";

const original = writeSafetensors(
  {
    weight: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    half: { shape: [2], data: Uint16Array.of(0x3c00, 0x7c01), dtype: "F16" },
    ids: { shape: [3], data: BigInt64Array.of(1n, -2n, 3n) },
    mask: { shape: [4], data: Uint8Array.of(0, 1, 0, 1), dtype: "BOOL" },
    empty: { shape: [0, 5], data: new Float32Array(0) },
  },
  { metadata: { format: "pt", config: '{"width":192}' } },
);

// Text that means something in a header, numbers at the edges of integers, bytes that are no UTF-8.
const fragments = fc.oneof(
  fc.constantFrom(...'{}[]",:\\ 0123456789-.eE\0\xff'.split("")),
  fc.constantFrom(
    "0",
    "-1",
    "1.0",
    "4294967296",
    "9007199254740992",
    "18446744073709551616",
    "null",
    "[]",
    "{}",
    "[[[",
  ),
  fc.constantFrom('"F64"', '"F4"', '"__metadata__"', '"weight"', '"shape"', '"data_offsets"', "\\ud800", "\\u0000"),
  fc.string({ unit: "binary", maxLength: 8 }),
);

type Edit = {
  readonly at: number;
  readonly kind: "replace" | "insert" | "delete" | "flip" | "cut" | "length";
  readonly text: string;
};

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(original.length),
  kind: fc.constantFrom("replace", "insert", "delete", "flip", "cut", "length"),
  text: fragments,
});

function apply(file: Uint8Array, { at, kind, text }: Edit): Uint8Array {
  const piece = new TextEncoder().encode(text);
  const [before, after] = [file.subarray(0, at), file.subarray(at)];
  switch (kind) {
    case "replace":
      return join(before, piece, after.subarray(piece.length));
    case "insert":
      return join(before, piece, after);
    case "delete":
      return join(before, after.subarray(piece.length));
    case "flip":
      return file.map((byte, i) => (i === at ? byte ^ (1 << (text.length % 8)) : byte));
    case "cut":
      return before.slice();
    case "length": {
      // Sets the header's length to where the edit is, so that damage behind it is reached too.
      const copy = file.slice();
      if (copy.length >= 8) new DataView(copy.buffer).setBigUint64(0, BigInt(at), true);
      return copy;
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Either a refusal in one line, or tensors whose shapes, bytes and values agree and fill the file. */
async function check(file: Uint8Array): Promise<"read" | "refused"> {
  try {
    const { tensors, metadata } = await readSafetensors(file);
    let bytes = 0;
    for (const [name, tensor] of Object.entries(tensors)) {
      expect(name).not.toBe("__metadata__");
      const stored = await tensor.stored();
      expect(stored.byteLength).toBe(shapeBytes(tensor.dtype, tensor.shape));
      bytes += stored.byteLength;
      await tensor.data("f32");
    }
    expect(bytes).toBeLessThan(file.length);
    expect(Object.values(metadata).every((value) => typeof value === "string")).toBe(true);
    return "read";
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.message).toMatch(/^[^\n\r]{20,700}$/);
    return "refused";
  }
}

describe("readSafetensors on damaged files", () => {
  test("reads what is valid and refuses the rest with a CheckpointError", async () => {
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        seen[await check(edits.reduce(apply, original))]++;
      }),
      { numRuns: 5000, interruptAfterTimeLimit: 20_000 },
    );
    // Both ways were taken: damage to the data alone goes unnoticed, as the format has no checksum.
    expect(seen.read).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(1000);
  });

  test("refuses each file that ends early", async () => {
    for (let length = 0; length < original.length; length++)
      expect(await check(original.subarray(0, length))).toBe("refused");
    expect(await check(original)).toBe("read");
  });

  test("never fails otherwise on arbitrary headers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(64), async (value, bytes) => {
        const text = new TextEncoder().encode(JSON.stringify(value));
        const file = join(new Uint8Array(8), text, new Uint8Array(bytes));
        new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
        await check(file);
      }),
      { numRuns: 1000 },
    );
  });
});
