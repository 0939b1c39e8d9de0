import { describe, expect, test } from "vitest";
import { bucketTable, relativePositionBucket } from "./relative-position.ts";

describe("relativePositionBucket", () => {
  // transformers' T5Attention._relative_position_bucket, bidirectional, 32 buckets, max distance 128
  test.each([
    [0, 0],
    [-1, 1],
    [1, 17],
    [-7, 7],
    [-8, 8],
    [8, 24],
    [-12, 9],
    [-40, 12],
    [127, 31],
    [-1000, 15],
    [1000, 31],
  ])("key - query = %i is in bucket %i", (relative, bucket) => {
    expect(relativePositionBucket(relative, { buckets: 32, maxDistance: 128 })).toBe(bucket);
  });

  test("the table holds key minus query, a row a query", () => {
    const options = { buckets: 8, maxDistance: 16 };
    const [, second, third] = bucketTable(2, options);
    expect(second).toBe(relativePositionBucket(1, options));
    expect(third).toBe(relativePositionBucket(-1, options));
  });
});
