import { expect, test } from "vitest";
import { Rng } from "@omni/core";
import { fitKinds } from "./reference-kinds.ts";

test("kinds of known shares, slopes and variances are found again, the stillest first", async () => {
  const count = 4000;
  const kinds = [
    { slopes: [1, 1, 0.9, 1], deviations: [0.1, 0.2, 0.1, 0.3] },
    { slopes: [0, 0.3, 0.1, 0], deviations: [2, 1, 3, 2] },
  ];
  const draws = await new Rng(3).normal([2, count, 4]).data();
  const pairs = Array.from({ length: count }, (_, i) => {
    const kind = kinds[i % 4 === 0 ? 1 : 0];
    const reference = Float32Array.from(draws.slice(i * 4, i * 4 + 4));
    const noise = draws.slice((count + i) * 4, (count + i) * 4 + 4);
    const video = reference.map((r, c) => (kind?.slopes[c] ?? 0) * r + (kind?.deviations[c] ?? 0) * (noise[c] ?? 0));
    return { video, reference };
  });
  const found = fitKinds(pairs, 2);
  expect(found[0]?.weight).toBeCloseTo(0.75, 1);
  expect(found[1]?.weight).toBeCloseTo(0.25, 1);
  kinds.forEach(({ slopes, deviations }, k) => {
    slopes.forEach((slope, c) => expect(Math.abs((found[k]?.slopes[c] ?? NaN) - slope)).toBeLessThan(0.15));
    deviations.forEach((d, c) => expect(Math.sqrt(found[k]?.variances[c] ?? 0) / d).toBeCloseTo(1, 1));
  });
});
