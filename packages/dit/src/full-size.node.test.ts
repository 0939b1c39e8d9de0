import { realize, Rng, zeros } from "@omni/core";
import { expect, test } from "vitest";
import { Block } from "./block.ts";
import { rope3d } from "./rope3d.ts";
import { sd3Block, sd3Presets } from "./sd3/config.ts";
import { WanBlock } from "./wan/block.ts";
import { wanPresets, wanRopeAxes } from "./wan/config.ts";

// one layer of each public layout at its true width, a few tokens long

test("a block of Wan2.1 14B runs: width 5,120, 40 heads", async () => {
  const config = wanPresets["wan2.1-t2v-14b"];
  const block = await new WanBlock(config, new Rng(1)).realize();
  const rng = new Rng(2);
  const video = rng.normal([1, 2, 4, config.width]);
  const positions = Array.from({ length: 8 }, (_, i) => [Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2] as const);
  const moved = block
    .forward(video, {
      time: rng.normal([1, 2, 6, config.width]),
      rope: rope3d(positions, { ropeAxes: wanRopeAxes(config.headDim), ropeTheta: 10_000 }, "interleaved"),
      text: rng.normal([1, 3, config.width]),
      textMask: null,
    })
    .sub(video);
  const values = await moved.data();
  expect(values.every(Number.isFinite)).toBe(true);
  expect(values.some((v) => v !== 0)).toBe(true);
  for (const parameter of Object.values(block.parameters())) parameter.dispose();
});

test("a joint block of SD3-medium runs: width 1,536, 24 heads", async () => {
  const config = sd3Presets["sd3-medium"];
  const block = new Block(sd3Block(config), { hasText: true, isLast: false, audio: null, rng: new Rng(3) });
  const rng = new Rng(4);
  // adaLN starts at zero, and with it the block: wake it
  const state = block.stateDict();
  const awake = Object.entries(state).flatMap(([name, p]) =>
    name.includes("Modulation") ? [[name, rng.fork(name).normal(p.shape).mul(0.02)]] : [],
  );
  block.loadStateDict(Object.fromEntries(awake), { strict: false });
  await block.realize();
  const time = rng.normal([1, 1, config.width]);
  const streams = { video: rng.normal([1, 1, 6, config.width]), text: rng.normal([1, 1, 3, config.width]) };
  const { video, text } = block.forward(streams, {
    time: { video: time, text: time },
    rope: null,
    keyMask: null,
    pack: null,
    audio: null,
    layout: { referenceFrames: 0, motionFrames: 0, noisyFrames: 1, frames: 1 },
  });
  const moved = [video.sub(streams.video), (text ?? zeros([1])).sub(streams.text)];
  await realize(moved);
  for (const change of moved) {
    const values = await change.data();
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.some((v) => v !== 0)).toBe(true);
  }
  for (const parameter of Object.values(block.parameters())) parameter.dispose();
});
