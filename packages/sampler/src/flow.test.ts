import { describe, expect, test } from "vitest";
import { ShapeError, tensor } from "@omni/core";
import { cleanFromVelocity, flowPoint, noiseFromVelocity } from "./flow.ts";

describe("flowPoint", () => {
  const x0 = tensor([1, 2, 3, 4], { shape: [2, 2] });
  const noise = tensor([5, -2, 0, 8], { shape: [2, 2] });
  const t = tensor([0.25, 1]);

  test("lies on the straight path, each sample at its own time", async () => {
    const { xt, velocity } = flowPoint(x0, noise, t);
    // by hand: (1 - 0.25)·[1, 2] + 0.25·[5, -2] and, at t = 1, the noise itself
    expect([...(await xt.data())]).toEqual([2, 1, 0, 8]);
    expect([...(await velocity.data())]).toEqual([4, -4, -3, 4]);
  });

  test("leads back to the clean latents and to the noise", async () => {
    const { xt, velocity } = flowPoint(x0, noise, t);
    expect([...(await cleanFromVelocity(xt, velocity, t).data())]).toEqual([1, 2, 3, 4]);
    expect([...(await noiseFromVelocity(xt, velocity, t).data())]).toEqual([5, -2, 0, 8]);
  });

  test("refuses shapes that do not fit", () => {
    expect(() => flowPoint(x0, tensor([1, 2]), t)).toThrow(ShapeError);
    expect(() => flowPoint(x0, noise, tensor([0.5]))).toThrow("t must have shape [2]");
  });
});
