import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOSTILE, openHostile } from "./hostile.fixture.ts";
import { diceOf } from "./mutate.fixture.ts";

describe("openCheckpoint on damaged files", () => {
  // `npm run fuzz` runs a million of them
  test.each(Object.entries(HOSTILE))("reads a damaged %s or refuses it with a CheckpointError", async (_, damage) => {
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        seen[await openHostile(damage(diceOf(seed)))]++;
      }),
      { numRuns: 1000, interruptAfterTimeLimit: 10_000 },
    );
    // Both ways are taken: the formats have no checksum that is read.
    expect(seen.read).toBeGreaterThan(5);
    expect(seen.refused).toBeGreaterThan(50);
  });
});
