import { realize, Rng, ShapeError, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { beforeAll, describe, expect, test } from "vitest";
import { layoutOf } from "./inputs.ts";
import type { DitInputs } from "./inputs.ts";
import { MMDiT } from "./model.ts";
import { distance, randomize, tinyConfig, tinyInputs } from "./tiny-model.ts";

// outputs are of size 1; the same sums in another order differ by a few units in the last place
const SAME = 2e-5;
const DIFFERENT = 1e-3;

let model: MMDiT;
beforeAll(async () => {
  model = await randomize(new MMDiT(tinyConfig));
});

const vector = (...values: number[]): Tensor => tensor(values);
const sample = (x: Tensor, i: number): Tensor => x.slice(0, i, i + 1);
const isolated = { referenceActive: null, textMask: null, textActive: null, audioMask: null, poseActive: null };

describe("MMDiT", () => {
  test("predicts one velocity for each noised latent", () => {
    const inputs = tinyInputs();
    expect(model.forward(inputs).shape).toEqual(inputs.noisy.shape);
  });

  test("runs with any condition absent", async () => {
    const inputs = tinyInputs();
    const none: DitInputs = { ...inputs, motion: null, reference: null, text: null, audio: null, pose: null };
    expect((await model.forward(none).data()).every(Number.isFinite)).toBe(true);
  });

  test("starts as zero velocity, whatever the conditions", async () => {
    const fresh = await new MMDiT(tinyConfig).realize();
    expect((await fresh.forward(tinyInputs()).data()).every((v) => v === 0)).toBe(true);
  });

  describe("a condition dropped by its mask gives what null gives", () => {
    const cases: readonly [string, (x: DitInputs) => DitInputs, (x: DitInputs) => DitInputs][] = [
      ["text", (x) => ({ ...x, textActive: vector(0, 0) }), (x) => ({ ...x, text: null })],
      ["text by padding", (x) => ({ ...x, textMask: zeros([2, 5]) }), (x) => ({ ...x, text: null })],
      ["reference", (x) => ({ ...x, referenceActive: vector(0, 0) }), (x) => ({ ...x, reference: null })],
      ["audio", (x) => ({ ...x, audioMask: vector(0, 0) }), (x) => ({ ...x, audio: null })],
      ["pose", (x) => ({ ...x, poseActive: vector(0, 0) }), (x) => ({ ...x, pose: null })],
    ];
    test.each(cases)("%s", async (_, drop, absent) => {
      const inputs = tinyInputs();
      const [full, dropped, without] = [
        model.forward(inputs),
        model.forward(drop(inputs)),
        model.forward(absent(inputs)),
      ];
      await realize([full, dropped, without]);
      expect(await distance(dropped, without)).toBeLessThan(SAME);
      expect(await distance(full, without)).toBeGreaterThan(DIFFERENT);
    });

    test("per sample: dropping sample 0 leaves sample 1 as it is", async () => {
      const inputs = tinyInputs();
      const off = vector(0, 1);
      const mixed = model.forward({
        ...inputs,
        textActive: off,
        referenceActive: off,
        audioMask: off,
        poseActive: off,
      });
      const full = model.forward(inputs);
      const none = model.forward({ ...inputs, text: null, reference: null, audio: null, pose: null });
      await realize([mixed, full, none]);
      expect(await distance(sample(mixed, 0), sample(none, 0))).toBeLessThan(SAME);
      expect(await distance(sample(mixed, 1), sample(full, 1))).toBeLessThan(SAME);
    });
  });

  test("padded text tokens change nothing", async () => {
    const inputs = tinyInputs();
    const longer = inputs.text.pad(
      [
        [0, 0],
        [0, 2],
        [0, 0],
      ],
      3,
    );
    const mask = tensor([
      [1, 1, 1, 1, 1, 0, 0],
      [1, 1, 1, 1, 1, 0, 0],
    ]);
    expect(
      await distance(model.forward(inputs), model.forward({ ...inputs, text: longer, textMask: mask })),
    ).toBeLessThan(SAME);
  });

  test("samples of a batch do not see each other", async () => {
    const inputs = tinyInputs();
    const one = Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, value === null ? null : sample(value as Tensor, 1)]),
    ) as unknown as DitInputs; // the same record, one sample of each tensor
    expect(await distance(sample(model.forward(inputs), 1), model.forward(one))).toBeLessThan(SAME);
  });

  test("a zero-initialised condition leaves the output as it was", async () => {
    const grown = await randomize(new MMDiT(tinyConfig));
    const zeroed = Object.entries(grown.parameters()).filter(([name]) =>
      /audio\.projection|patchEmbed\.pose/.test(name),
    );
    expect(zeroed).toHaveLength(3); // two blocks and the pose columns
    await realize(zeroed.map(([, p]) => p.assign(zeros(p.shape))));
    const inputs = tinyInputs();
    const bare: DitInputs = { ...inputs, audio: null, pose: null };
    expect(await distance(grown.forward(inputs), grown.forward(bare))).toBe(0);
  });

  test("a model trained on text and reference gains audio and pose and stays what it was, bit by bit", async () => {
    const trained = await randomize(new MMDiT(tinyConfig));
    const old = Object.entries(trained.stateDict()).filter(([name]) => !/audio|patchEmbed\.pose/.test(name));
    const grown = new MMDiT(tinyConfig, { rng: new Rng(9) });
    const { missing } = grown.loadStateDict(Object.fromEntries(old), { strict: false });
    expect(missing).toContain("patchEmbed.pose.weight");
    await grown.realize();
    const inputs = tinyInputs();
    const without = grown.forward({ ...inputs, audio: null, pose: null });
    expect(await distance(grown.forward(inputs), without)).toBe(0);
    // of the trained model only what it knew is left
    const bare = await new MMDiT(tinyConfig).realize();
    bare.loadStateDict({ ...bare.stateDict(), ...Object.fromEntries(old) });
    expect(await distance(without, bare.forward({ ...inputs, audio: null, pose: null }))).toBe(0);
  });

  test("a fresh model has zeros where audio and pose come in", async () => {
    const fresh = new MMDiT(tinyConfig).parameters();
    for (const name of [
      "blocks.0.audio.projection.weight",
      "blocks.1.audio.projection.weight",
      "patchEmbed.pose.weight",
    ])
      expect((await fresh[name]?.data())?.every((v) => v === 0)).toBe(true);
  });

  test("moving the reference changes the velocity, and so does each motion frame", async () => {
    const inputs = tinyInputs();
    const full = model.forward(inputs);
    expect(await distance(full, model.forward({ ...inputs, reference: inputs.reference.mul(2) }))).toBeGreaterThan(
      DIFFERENT,
    );
    expect(await distance(full, model.forward({ ...inputs, motion: inputs.motion.mul(2) }))).toBeGreaterThan(DIFFERENT);
  });
});

describe("frame-wise audio attention", () => {
  test("audio of video frame k moves exactly the latent frames whose window holds k", async () => {
    // one block: in a deeper model joint attention would carry the change on
    const config = { ...tinyConfig, depth: 1, doubleBlocks: 1 };
    const shallow = await randomize(new MMDiT(config));
    const inputs = { ...tinyInputs(config, { batch: 1, frames: 5, motion: 1 }), ...isolated };
    const before = await shallow.forward(inputs).realize();
    const frames = inputs.audio.shape[1] ?? 0;
    expect(frames).toBe(21);
    for (const k of [0, 3, 8, 13, 20]) {
      const bump = zeros([1, 1, 1, 1])
        .add(1)
        .pad([
          [0, 0],
          [k, frames - 1 - k],
          [0, 0],
          [0, 0],
        ]);
      // a constant would vanish in the feature norm
      const audio = inputs.audio.add(bump.mul(new Rng(5).normal([1, 1, 2, 5])));
      const change = shallow
        .forward({ ...inputs, audio })
        .sub(before)
        .abs()
        .max({ axis: [0, 1, 3, 4] });
      // noisy frame n is latent frame n + 1 (after one motion frame); it sees 4i - 5 … 4i + 2
      const moved = [...(await change.data())].map((d) => d > SAME);
      const expected = [1, 2, 3, 4, 5].map((i) => k >= 4 * i - 5 && k <= 4 * i + 2);
      expect(moved).toEqual(expected);
    }
  });
});

describe("time", () => {
  test("reference and motion are modulated at timestep 0", async () => {
    const inputs = tinyInputs();
    const layout = layoutOf(tinyConfig, inputs);
    const at = (t: Tensor): Tensor => model.timeIn.forward(t, layout).video;
    const [mixed, zero] = [at(inputs.t), at(zeros([2]))];
    expect(await distance(mixed.slice(1, 0, 2), zero.slice(1, 0, 2))).toBe(0);
    expect(await distance(mixed.slice(1, 2), zero.slice(1, 2))).toBeGreaterThan(DIFFERENT);
  });

  test("the velocity depends on the timestep", async () => {
    const inputs = tinyInputs();
    expect(await distance(model.forward(inputs), model.forward({ ...inputs, t: vector(0.1, 0.9) }))).toBeGreaterThan(
      DIFFERENT,
    );
  });
});

describe("errors", () => {
  const inputs = tinyInputs();
  test.each([
    [{ motion: inputs.noisy.slice(1, 0, 1) }, "MMDiT: motion must have shape [2, 2, 3, 4, 6], got [2, 1, 3, 4, 6]"],
    [{ audio: inputs.audio.slice(1, 0, 12) }, "MMDiT: audio must have shape [2, 13, 2, 5], got [2, 12, 2, 5]"],
    [{ t: zeros([3]) }, "MMDiT: t must have shape [2], got [3]"],
    [{ textMask: zeros([2, 4]) }, "MMDiT: textMask must have shape [2, 5], got [2, 4]"],
    [
      { noisy: zeros([2, 2, 3, 3, 6]) },
      "MMDiT: latent height and width must be even, got 3×6: pad the frames to multiples of 16 pixels",
    ],
  ])("%#: names the input and its shape", (change, message) => {
    expect(() => model.forward({ ...inputs, ...change })).toThrow(new ShapeError(message));
  });
});
