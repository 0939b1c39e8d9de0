import { describe, expect, test } from "vitest";
import { correlation } from "./correlation.ts";
import { mouthAperture } from "./figure/face.ts";
import { FigureRenderer } from "./figure/draw.ts";
import { restingState } from "./figure/state.ts";
import { frameView, framings } from "./figure/view.ts";
import { drawIdentity } from "./identity.ts";
import { measureMouthOpening } from "./mouth-measure.ts";
import { mouthWindowOf } from "./parts.ts";
import { Random } from "./random.ts";

describe("measureMouthOpening", () => {
  // Random mouths on moving heads are harder than speech; 0.97 in portraits is what the measure is required to reach.
  const least = { portrait: 0.97, half: 0.96, full: 0.9 } as const;

  for (const framing of framings) {
    test(`follows the true opening in 64×64 frames, ${framing}`, () => {
      const scores: number[] = [];
      for (let seed = 0; seed < 10; seed++) {
        const renderer = new FigureRenderer(drawIdentity(seed, "train"), frameView(framing, 64, 64));
        const random = new Random(seed);
        const data = new Uint8Array(64 * 64 * 3);
        const measured: number[] = [];
        const truth: number[] = [];
        for (let i = 0; i < 24; i++) {
          const mouth = {
            open: random.unit(),
            width: random.unit(),
            round: random.unit() ** 2,
            teeth: random.unit(),
            tongue: random.unit(),
            smile: random.range(-0.3, 1),
          };
          const skeleton = renderer.draw(
            {
              ...restingState,
              yaw: random.range(-0.3, 0.3),
              pitch: random.range(-0.15, 0.2),
              roll: random.range(-0.1, 0.1),
              mouth,
            },
            data,
          );
          measured.push(measureMouthOpening({ width: 64, height: 64, data }, mouthWindowOf(skeleton)));
          truth.push(mouthAperture(skeleton));
        }
        scores.push(correlation(measured, truth));
      }
      expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeGreaterThan(least[framing]);
    });
  }

  test("is nearly zero for every shut mouth", () => {
    const data = new Uint8Array(64 * 64 * 3);
    for (let seed = 0; seed < 80; seed++) {
      const renderer = new FigureRenderer(drawIdentity(seed, "train"), frameView(framings[seed % 3] ?? "half", 64, 64));
      const skeleton = renderer.draw(restingState, data);
      // A wide open mouth measures about 0.17.
      expect(
        measureMouthOpening({ width: 64, height: 64, data }, mouthWindowOf(skeleton)),
        `seed ${seed}`,
      ).toBeLessThan(0.017);
    }
  });
});
