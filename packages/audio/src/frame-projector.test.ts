import { Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { FrameProjector, frameWindows } from "./frame-projector.ts";

describe("frameWindows", () => {
  test("joins neighbours in order, and repeats the ends", async () => {
    // frames 0, 1, 2 of one token of width 1
    const windows = frameWindows(tensor([0, 1, 2], { shape: [1, 3, 1, 1] }), 1);
    expect(windows.shape).toEqual([1, 3, 3, 1]);
    expect([...(await windows.data())]).toEqual([0, 0, 1, 0, 1, 2, 1, 2, 2]);
  });

  test("refuses features without frames", () => {
    expect(() => frameWindows(tensor([1]), 2)).toThrow("[B, frames, tokens, D] with a frame, got [1]");
  });
});

describe("FrameProjector", () => {
  test("audio frame k moves only the frames whose window holds it", async () => {
    const projector = new FrameProjector({ features: 6, width: 4, reach: 2, rng: new Rng(1) });
    const frames = 9;
    const at = 4;
    const plain = new Rng(2).normal([1, frames, 2, 6]);
    const bump = tensor(Float32Array.from({ length: frames }, (_, k) => Number(k === at))).reshape([1, frames, 1, 1]);
    const change = projector.forward(plain.add(bump)).sub(projector.forward(plain)).abs();
    expect(change.shape).toEqual([1, frames, 10, 4]);
    const moved = await change.max({ axis: [0, 2, 3] }).data();
    const expected = Array.from({ length: frames }, (_, k) => Math.abs(k - at) <= 2);
    expect(Array.from(moved, (x) => x > 1e-4)).toEqual(expected);
  });
});
