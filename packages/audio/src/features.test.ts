import { arange, Rng } from "@omni/core";
import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { alignToFrames, featureDim, stackStates, tokenTime } from "./features.ts";
import { stepTime } from "./waveform.ts";

const config = presets.nano;

describe("alignToFrames", () => {
  test.each([
    [12.5, 2],
    [25, 2],
    [30, 1],
    [24, 3],
  ])("at %f fps and %i tokens a frame, each token is taken at its own time", async (fps, tokensPerFrame) => {
    // a state that holds the time of its step, so that interpolation gives back the time of the token
    const [first, last] = [stepTime(config, 0), stepTime(config, 99)];
    const states = arange(100).mul(0.02).add(first).reshape([1, 100, 1]);
    const count = Math.floor(1.9 * fps);
    const times = [...(await alignToFrames(states, config, { fps, tokensPerFrame }, { count }).data())];
    times.forEach((time, i) => {
      const wanted = tokenTime({ fps, tokensPerFrame }, Math.floor(i / tokensPerFrame), i % tokensPerFrame);
      expect(time).toBeCloseTo(Math.min(Math.max(wanted, first), last), 5);
    });
  });

  test("tokens share their frame evenly", () => {
    expect([0, 1].map((j) => tokenTime({ fps: 12.5, tokensPerFrame: 2 }, 1, j))).toEqual([0.1, 0.14]);
  });

  test("keeps samples and features apart", async () => {
    const states = new Rng(1).normal([2, 50, 3]);
    const both = alignToFrames(states, config, { fps: 12.5, tokensPerFrame: 2 }, { count: 10 });
    expect(both.shape).toEqual([2, 10, 2, 3]);
    const second = alignToFrames(states.slice(0, 1, 2), config, { fps: 12.5, tokensPerFrame: 2 }, { count: 10 });
    expect(await both.slice(0, 1, 2).sub(second).abs().max().item()).toBe(0);
  });
});

describe("stackStates", () => {
  test("puts all states side by side, each at the same scale", async () => {
    const rng = new Rng(2);
    const stacked = stackStates([rng.normal([1, 4, 8]), rng.normal([1, 4, 8]).mul(100)]);
    expect(stacked.shape).toEqual([1, 4, 16]);
    const rms = await stacked
      .reshape([4, 2, 8])
      .square()
      .mean({ axis: [0, 2] })
      .data();
    expect(rms[0]).toBeCloseTo(1, 3);
    expect(rms[1]).toBeCloseTo(1, 3);
  });

  test("is as wide as featureDim says", () => {
    expect(featureDim(presets.nano)).toBe(512);
    expect(featureDim(presets.base)).toBe(13 * 768);
  });
});
