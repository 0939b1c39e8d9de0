import { describe, expect, test } from "vitest";
import { concat, grad, Rng, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { poseGuiderPresets } from "./config.ts";
import type { PoseGuiderConfig } from "./config.ts";
import { PoseGuider } from "./guider.ts";

const tiny: PoseGuiderConfig = {
  keypoints: 2,
  heatmapStride: 4,
  sigma: { unit: "fraction", value: 0.1 },
  layers: [
    { channels: 4, temporalStride: 2, spatialStride: 2 },
    { channels: 4, temporalStride: 2, spatialStride: 1 },
  ],
  outChannels: 3,
  zeroInit: false,
};

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("PoseGuider", () => {
  test("gives nano's channels on the latent grid", () => {
    const guider = new PoseGuider(poseGuiderPresets.nano);
    const keypoints = new Rng(1).uniform([1, 25, 8, 3]);
    expect(guider.fromKeypoints(keypoints, { height: 64, width: 48 }).shape).toEqual([1, 16, 7, 8, 6]);
  });

  test("fresh features of keypoints are about of unit size, and tell places apart", async () => {
    const keypoints = new Rng(1).uniform([1, 25, 8, 3]).slice(3, 0, 2).pad([[0, 0], [0, 0], [0, 0], [0, 1]], 1); // prettier-ignore
    const y = new PoseGuider(poseGuiderPresets.nano, new Rng(2)).fromKeypoints(keypoints, { height: 64, width: 64 });
    const deviation = await y
      .sub(y.mean({ axis: [3, 4], keepdim: true }))
      .square()
      .mean()
      .sqrt()
      .item();
    expect(deviation).toBeGreaterThan(0.4);
    expect(deviation).toBeLessThan(2.5);
  });

  test("output frame t ignores frames after 4t", async () => {
    const guider = new PoseGuider(tiny, new Rng(2));
    const heatmaps = new Rng(3).uniform([1, 2, 9, 4, 4]);
    const changed = concat([heatmaps.slice(2, 0, 5), new Rng(4).uniform([1, 2, 4, 4, 4])], { axis: 2 });
    const [a, b] = [guider.forward(heatmaps), guider.forward(changed)];
    expect(await values(a.slice(2, 0, 2))).toEqual(await values(b.slice(2, 0, 2)));
    expect(await values(a.slice(2, 2))).not.toEqual(await values(b.slice(2, 2)));
  });

  test("the first frames alone give the same as within a longer clip", async () => {
    const guider = new PoseGuider(tiny, new Rng(2));
    const heatmaps = new Rng(3).uniform([1, 2, 9, 4, 4]);
    const [short, long] = [guider.forward(heatmaps.slice(2, 0, 1)), guider.forward(heatmaps).slice(2, 0, 1)];
    expect(short.shape).toEqual([1, 3, 1, 2, 2]);
    const expected = await values(long);
    for (const [i, value] of (await values(short)).entries()) expect(value).toBeCloseTo(expected[i] ?? NaN, 5);
  });

  test("gradients reach every parameter", async () => {
    const guider = new PoseGuider(tiny, new Rng(2));
    const parameters = guider.parameters();
    const loss = guider
      .forward(new Rng(3).uniform([1, 2, 5, 4, 4]))
      .square()
      .mean();
    const gradients = grad(loss, Object.values(parameters));
    for (const [i, name] of Object.keys(parameters).entries()) {
      const largest = await gradients[i]?.abs().max().item();
      expect(largest, name).toBeGreaterThan(0);
    }
  });

  test("starts at zero when asked", async () => {
    const guider = new PoseGuider({ ...tiny, zeroInit: true }, new Rng(2));
    const bias = guider.parameters()["convOut.bias"];
    const out = await values(guider.forward(new Rng(3).uniform([1, 2, 1, 2, 2])));
    expect(await values(bias ?? tensor([1]))).toEqual([0, 0, 0]);
    expect(out).toEqual([0, 0, 0]);
  });

  test("refuses heatmaps that do not fit", () => {
    const guider = new PoseGuider(tiny);
    expect(() => guider.forward(new Rng(1).uniform([1, 2, 4, 4, 4]))).toThrow(ShapeError);
    expect(() => guider.forward(new Rng(1).uniform([1, 3, 5, 4, 4]))).toThrow("heatmaps must be [B, 2, 1 + 4n");
  });
});
