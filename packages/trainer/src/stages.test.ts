import { describe, expect, test } from "vitest";
import { ConditionDraw, halfPoseStages, halvingStages, RATIO_CONDITIONS, stageAt, withPoseRatio } from "./stages.ts";

/** Repeatable uniform numbers. */
function uniform(seed: number): () => number {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

const always = { text: true, reference: true, audio: true, pose: true };

describe("ConditionDraw", () => {
  test("meets each stage's ratios when every sample allows everything", () => {
    for (const { ratios } of halvingStages) {
      const draw = new ConditionDraw();
      const random = uniform(1);
      for (let i = 0; i < 2000; i++) draw.draw(ratios, always, random);
      for (const c of RATIO_CONDITIONS) expect(draw.realised[c]).toBeCloseTo(ratios[c], 2);
    }
  });

  test("meets the ratios although only some samples allow the strong conditions", () => {
    const draw = new ConditionDraw();
    const random = uniform(2);
    const ratios = { text: 0.9, reference: 0.7, audio: 0.5, pose: 0.25 };
    for (let i = 0; i < 4000; i++)
      draw.draw(ratios, { ...always, audio: random() < 0.8, pose: random() < 0.7 }, random);
    for (const c of RATIO_CONDITIONS) expect(draw.realised[c]).toBeCloseTo(ratios[c], 1);
  });

  test("never activates what a sample does not allow", () => {
    const draw = new ConditionDraw();
    const random = uniform(3);
    for (let i = 0; i < 200; i++)
      expect(draw.draw({ text: 1, reference: 1, audio: 1, pose: 1 }, { ...always, audio: false }, random).audio).toBe(
        false,
      );
  });

  test("draws two conditions of equal ratio apart", () => {
    const draw = new ConditionDraw();
    const random = uniform(4);
    let together = 0;
    for (let i = 0; i < 2000; i++) {
      const active = draw.draw({ text: 0.5, reference: 0.5, audio: 0.5, pose: 0.5 }, always, random);
      if (active.audio === active.pose) together++;
    }
    expect(together).toBeGreaterThan(800);
    expect(together).toBeLessThan(1200);
  });
});

describe("stages", () => {
  test("take the whole run in order", () => {
    const seen = Array.from({ length: 1000 }, (_, step) => stageAt(halvingStages, step, 1000));
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(halvingStages.length - 1);
    expect(seen.every((stage, i) => i === 0 || stage >= (seen[i - 1] ?? 0))).toBe(true);
    expect(halvingStages.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  test("the stronger the condition, the lower its ratio (principle 2)", () => {
    const ratios = halvingStages.at(-1)?.ratios;
    expect(
      ratios && RATIO_CONDITIONS.every((c, i) => i === 0 || ratios[c] < (ratios[RATIO_CONDITIONS[i - 1] ?? c] ?? 1)),
    ).toBe(true);
    expect(halfPoseStages.at(-1)?.ratios.pose).toBe(0.5);
  });
});

test("a run may take later stages only, and other shares of poses", () => {
  const late = withPoseRatio(halvingStages.slice(2), 0.8);
  expect(late.map((s) => s.ratios.pose)).toEqual([0, 0.8]);
  // 0.48 beside 0.4
  expect([0, 54, 55, 99].map((step) => stageAt(late, step, 100))).toEqual([0, 0, 1, 1]);
});
