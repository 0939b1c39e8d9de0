import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { ROUNDING } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, withAxis, type Nd } from "../testing/nd.ts";
import { interpolateLinear, sampleLinear } from "./interpolate.ts";

/** PyTorch's interpolate(mode="linear", align_corners=False), as its source states it. */
function reference(x: Nd, axis: number, length: number): Nd {
  const n = x.shape[axis] ?? 0;
  return build(withAxis(x.shape, axis, length), (index) => {
    const source = Math.max(0, ((index[axis] ?? 0) + 0.5) * (n / length) - 0.5);
    const low = Math.min(n - 1, Math.floor(source));
    const high = Math.min(n - 1, low + 1);
    const part = Math.min(1, source - low);
    return at(x, withAxis(index, axis, low)) * (1 - part) + at(x, withAxis(index, axis, high)) * part;
  });
}

for (const [axis, length] of [
  [1, 7],
  [0, 2],
  [2, 3],
  [1, 1],
] as const)
  describeOp(`interpolateLinear of axis ${axis} to ${length}`, (x) => interpolateLinear(x, axis - 3, length), {
    cases: [{ x: [4, 5, 3] }, { x: [1, 2, 8] }],
    reference: (x) => reference(x, axis, length),
    tolerance: ROUNDING,
  });

describe("sampleLinear", () => {
  test("takes positions in elements and holds those outside to the ends", async () => {
    const x = tensor([10, 20, 40]);
    expect([...(await sampleLinear(x, 0, [-5, 0.25, 1.5, 2, 9]).data())]).toEqual([10, 12.5, 30, 40, 40]);
    expect(sampleLinear(x, 0, []).shape).toEqual([0]);
  });

  test("refuses to sample nothing", () => {
    expect(() => interpolateLinear(zeros([2, 0]), 1, 3)).toThrow(
      "sampleLinear: the axis must not be empty, got axis 1 of [2, 0]",
    );
  });
});
