import { describe, expect, test } from "vitest";
import { coco17, keypointIndices, keypointSchemas, upperBody8 } from "./keypoints.ts";

describe.each(keypointSchemas.map((schema) => [schema.name, schema] as const))("%s", (_name, schema) => {
  test("names each point once, and refers only to points it has", () => {
    const count = schema.keypoints.length;
    expect(new Set(schema.keypoints).size).toBe(count);
    const referred = [...schema.edges.flat(), ...Object.values(schema.groups).flat()];
    for (const index of referred) expect(index).toBeLessThan(count);
    if (schema.sigmas) expect(schema.sigmas).toHaveLength(count);
  });
});

describe("keypointIndices", () => {
  test("matches points by name", () => {
    // upperBody8: head and neck are not in COCO; shoulders, elbows and wrists are its points 5 to 10
    expect(keypointIndices(coco17, upperBody8)).toEqual([-1, -1, 5, 6, 7, 8, 9, 10]);
  });
});
