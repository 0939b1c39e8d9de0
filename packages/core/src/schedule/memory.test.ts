import fc from "fast-check";
import { expect, test } from "vitest";
import { assignSlots } from "./memory.ts";
import type { Value } from "./spec.ts";

const values: fc.Arbitrary<Value[]> = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(30), fc.nat(6)).map(([bytes, first, length]) => ({
    bytes,
    place: { kind: "slot" as const, index: -1 },
    first,
    last: first + length,
  })),
  { maxLength: 40 },
);

const slotOf = ({ place }: Value): number => (place.kind === "slot" ? place.index : -1);

test("values that live at the same time never share a slot, and every slot is large enough", () => {
  fc.assert(
    fc.property(values, (list) => {
      const slots = assignSlots(list);
      for (const [i, a] of list.entries()) {
        expect(slots[slotOf(a)]).toBeGreaterThanOrEqual(a.bytes);
        for (const b of list.slice(i + 1))
          if (a.first <= b.last && b.first <= a.last) expect(slotOf(a)).not.toBe(slotOf(b));
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});

test("no value takes a slot more than twice its size, in steps of 256 bytes", () => {
  fc.assert(
    fc.property(values, (list) => {
      const slots = assignSlots(list);
      for (const v of list)
        expect(slots[slotOf(v)]).toBeLessThanOrEqual(2 * Math.max(256, Math.ceil(v.bytes / 256) * 256));
    }),
    { seed: 6, numRuns: 200 },
  );
});

test("a chain of equal values needs two slots", () => {
  const chain = Array.from({ length: 50 }, (_, i): Value => ({
    bytes: 1024,
    place: { kind: "slot", index: -1 },
    first: i,
    last: i + 1,
  }));
  expect(assignSlots(chain)).toEqual([1024, 1024]);
});
