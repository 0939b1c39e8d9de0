import { realize, Rng, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { expect, test } from "vitest";
import { omniBlock } from "./block-config.ts";
import { Block } from "./block.ts";
import { presets, TEMPORAL_STRIDE } from "./config.ts";
import { rope3d } from "./rope3d.ts";
import { sd3Block, sd3Presets } from "./sd3/config.ts";
import { WanBlock } from "./wan/block.ts";
import { wanPresets, wanRopeAxes } from "./wan/config.ts";

// one layer of each public layout, and of the largest preset, at its true width, a few tokens long

/** What a block adds to its streams is finite, and something. */
async function expectChanged(changes: readonly Tensor[]): Promise<void> {
  await realize([...changes]);
  for (const change of changes) {
    const values = await change.data();
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.some((v) => v !== 0)).toBe(true);
  }
}

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
  await expectChanged([moved]);
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
  await expectChanged([video.sub(streams.video), (text ?? zeros([1])).sub(streams.text)]);
  for (const parameter of Object.values(block.parameters())) parameter.dispose();
});

test("a hybrid block of seaweed-8b runs, hearing: width 3,328, 26 heads, one set of weights for text and video", async () => {
  const config = presets["seaweed-8b"];
  const block = await new Block(omniBlock(config), {
    hasText: false,
    isLast: false,
    audio: config,
    rng: new Rng(5),
  }).realize();
  const rng = new Rng(6);
  const { width, audioTokensPerFrame, audioWindow } = config;
  const slots = (TEMPORAL_STRIDE + 2 * audioWindow) * audioTokensPerFrame;
  const streams = { video: rng.normal([1, 2, 4, width]), text: rng.normal([1, 1, 3, width]) };
  const positions = Array.from({ length: 8 }, (_, i) => [1 + Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2] as const);
  const { video, text } = block.forward(streams, {
    time: { video: rng.normal([1, 2, 6, width]), text: rng.normal([1, 1, 6, width]) },
    rope: rope3d([null, null, null, ...positions], config),
    keyMask: null,
    pack: null,
    audio: rng.normal([1, 2, slots, width]),
    layout: { referenceFrames: 0, motionFrames: 0, noisyFrames: 2, frames: 2 },
  });
  await expectChanged([video.sub(streams.video), (text ?? zeros([1])).sub(streams.text)]);
  for (const parameter of Object.values(block.parameters())) parameter.dispose();
});
