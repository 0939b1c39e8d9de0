import { grad, realize, Rng, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import type { DitConfig } from "./config.ts";
import type { DitInputs } from "./inputs.ts";
import { NO_CONDITIONS, videoFramesOf } from "./inputs.ts";
import { MMDiT } from "./model.ts";
import { distance, randomize, tinyConfig } from "./tiny-model.ts";

// outputs are of size 1; packed and alone sum in another order
const SAME = 2e-5;
const DIFFERENT = 1e-3;

interface ClipShape {
  readonly frames: number;
  readonly motion: number;
  readonly size: readonly [height: number, width: number];
  readonly words: number;
}

/** A clip with every condition. */
function clipOf(config: DitConfig, { frames, motion, size: [height, width], words }: ClipShape, seed: number) {
  const rng = new Rng(seed);
  const latents = (n: number): Tensor => rng.normal([1, config.latentChannels, n, height, width]);
  return {
    ...NO_CONDITIONS,
    noisy: latents(frames),
    t: rng.uniform([1]),
    motion: motion > 0 ? latents(motion) : null,
    reference: latents(1),
    text: rng.normal([1, words, config.textDim]),
    audio: rng.normal([1, videoFramesOf(motion + frames), config.audioTokensPerFrame, config.audioDim]),
    pose: rng.normal([1, config.poseChannels, motion + frames, height, width]),
  } satisfies DitInputs;
}

const wide = clipOf(tinyConfig, { frames: 3, motion: 1, size: [4, 6], words: 5 }, 1);
const tall = clipOf(tinyConfig, { frames: 2, motion: 0, size: [8, 2], words: 2 }, 2);
const bare: DitInputs = {
  ...clipOf(tinyConfig, { frames: 1, motion: 0, size: [4, 4], words: 1 }, 3),
  reference: null,
  text: null,
  audio: null,
  pose: null,
};
const padded: DitInputs = { ...tall, textMask: tensor([[1, 0]]), referenceActive: tensor([0]) };

describe.each([
  ["of both kinds of blocks", tinyConfig],
  ["with a prior", { ...tinyConfig, referencePrior: [{ weight: 1, slopes: [1, 0.5], variances: [0.1, 1] }] }],
] as const)("forwardPacked, a model %s", (_, config) => {
  let model: MMDiT;
  beforeAll(async () => {
    model = await randomize(new MMDiT(config));
  });

  async function expectAlike(clips: readonly DitInputs[]): Promise<void> {
    const packed = model.forwardPacked(clips);
    const alone = clips.map((clip) => model.forward(clip));
    await realize([...packed, ...alone]);
    for (const [i, one] of alone.entries()) {
      expect(packed[i]?.shape).toEqual(one.shape);
      expect(await distance(packed[i] ?? one, one)).toBeLessThan(SAME);
    }
  }

  test("gives each clip what it gets alone, whatever its size, length and conditions", async () => {
    await expectAlike([wide, tall, bare]);
  });

  test("so it does where texts are padded and references dropped", async () => {
    await expectAlike([padded, wide]);
  });

  test("so it does without any text or clean frame, and for one clip", async () => {
    await expectAlike([bare, { ...bare, t: tensor([0.9]) }]);
    await expectAlike([wide]);
  });
});

describe("forwardPacked", () => {
  test("its gradients are the sums of the clips' own", async () => {
    const model = await randomize(new MMDiT(tinyConfig));
    const weights = Object.values(model.parameters());
    const energy = (velocities: readonly Tensor[]): Tensor =>
      velocities.map((v) => v.square().sum()).reduce((a, b) => a.add(b));
    const packed = grad(energy(model.forwardPacked([wide, tall])), weights);
    const alone = grad(energy([model.forward(wide), model.forward(tall)]), weights);
    await realize([...packed, ...alone]);
    for (const [i, name] of Object.keys(model.parameters()).entries()) {
      const [a, b] = [packed[i], alone[i]];
      if (!a || !b) throw new Error(`${name} has no gradient`);
      // sums over all tokens in another order, relative to the largest
      expect(await distance(a, b), name).toBeLessThan(1e-4 * Math.max(1, await b.abs().max().item()));
    }
  });

  test("no clip sees another", async () => {
    const model = await randomize(new MMDiT(tinyConfig));
    const [before] = model.forwardPacked([wide, tall]);
    const [after, moved] = model.forwardPacked([wide, { ...tall, noisy: tall.noisy.mul(3) }]);
    const [, still] = model.forwardPacked([wide, tall]);
    if (!before || !after || !moved || !still) throw new Error("a clip has no velocity");
    expect(await distance(before, after)).toBe(0);
    expect(await distance(moved, still)).toBeGreaterThan(DIFFERENT);
  });

  test("refuses batches and nothing", () => {
    const model = new MMDiT(tinyConfig);
    const two = { ...bare, noisy: bare.noisy.repeat(2, 0), t: tensor([0.1, 0.2]) };
    expect(() => model.forwardPacked([two])).toThrow("clips must be single, at least one, got a batch of 2");
    expect(() => model.forwardPacked([])).toThrow(ShapeError);
  });
});
