import { describe, expect, test } from "vitest";
import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { guidanceScaleAt, guidedVelocity, guideJoint, guideSeparate } from "./guidance.ts";
import type { Guidance } from "./guidance.ts";
import { eachBranch } from "./velocity.ts";

const full = tensor([1, 2]);
const text = tensor([0, 4]);
const dropped = tensor([-1, 1]);
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe("guidanceScaleAt", () => {
  test("linear falls from start to end in equal steps", () => {
    const scales = [0, 1, 2].map((step) => guidanceScaleAt({ kind: "linear", start: 6.5, end: 1.5 }, step, 3));
    expect(scales).toEqual([6.5, 4, 1.5]);
  });

  test("cosine meets linear at both ends and in the middle, and never rises", () => {
    const scales = [0, 1, 2, 3, 4].map((step) => guidanceScaleAt({ kind: "cosine", start: 6, end: 2 }, step, 5));
    expect(scales[0]).toBeCloseTo(6, 12);
    expect(scales[2]).toBeCloseTo(4, 12);
    expect(scales[4]).toBeCloseTo(2, 12);
    expect(scales).toEqual([...scales].sort((a, b) => b - a));
  });

  test("an interval guides only inside it", () => {
    const curve = { kind: "interval", scale: 5, from: 0.25, to: 0.5 } as const;
    expect([0, 1, 2, 3, 4].map((step) => guidanceScaleAt(curve, step, 5))).toEqual([1, 5, 5, 1, 1]);
  });

  test("a number and a constant curve stay", () => {
    expect(guidanceScaleAt(3, 7, 9)).toBe(3);
    expect(guidanceScaleAt({ kind: "constant", scale: 4 }, 7, 9)).toBe(4);
  });

  test("a single step takes the start", () => {
    expect(guidanceScaleAt({ kind: "linear", start: 6.5, end: 1 }, 0, 1)).toBe(6.5);
  });
});

describe("guideJoint", () => {
  test("is the full branch at 1 and the dropped one at 0", async () => {
    expect(await values(guideJoint(full, dropped, 1))).toEqual([1, 2]);
    expect(await values(guideJoint(full, dropped, 0))).toEqual([-1, 1]);
  });

  test("extrapolates along the difference", async () => {
    expect(await values(guideJoint(full, dropped, 3))).toEqual([5, 4]); // [-1 + 3·2, 1 + 3·1]
  });
});

describe("guideSeparate", () => {
  const branches = { full, withoutAudio: text, dropped };

  test("equal scales are joint guidance", async () => {
    expect(await values(guideSeparate(branches, 3, 3))).toEqual(await values(guideJoint(full, dropped, 3)));
  });

  test("text scale 1 guides audio alone", async () => {
    expect(await values(guideSeparate(branches, 1, 3))).toEqual([3, -2]); // text + 3 (full - text)
  });
});

describe("guidedVelocity", () => {
  const asked: string[][] = [];
  const one = eachBranch<string>((_xt, _t, condition) => ({ full, text, dropped })[condition] ?? full);
  const velocity: typeof one = (xt, t, branches) => (asked.push([...branches]), one(xt, t, branches));
  const at = (guidance: Guidance<string>): Tensor => {
    asked.length = 0;
    return guidedVelocity(velocity, guidance, 0, 4)(tensor([0, 0]), tensor([1]));
  };

  test("asks only for the branches it needs", async () => {
    expect(await values(at({ kind: "none", full: "full" }))).toEqual([1, 2]);
    expect(asked).toEqual([["full"]]);
    at({ kind: "joint", full: "full", dropped: "dropped", scale: 1 });
    expect(asked).toEqual([["full"]]);
    at({ kind: "separate", full: "full", withoutAudio: "text", dropped: "dropped", textScale: 1, audioScale: 1 });
    expect(asked).toEqual([["full"]]);
  });

  test("joint guidance combines two branches", async () => {
    expect(await values(at({ kind: "joint", full: "full", dropped: "dropped", scale: 3 }))).toEqual([5, 4]);
    expect(asked).toEqual([["full", "dropped"]]);
  });

  test("separate guidance combines three", async () => {
    const guidance = { kind: "separate", full: "full", withoutAudio: "text", dropped: "dropped" } as const;
    expect(await values(at({ ...guidance, textScale: 1, audioScale: 3 }))).toEqual([3, -2]);
    expect(asked).toEqual([["full", "text", "dropped"]]);
  });

  test("a velocity that leaves out a branch is refused", () => {
    const guided = guidedVelocity(() => [full], { kind: "joint", full: "a", dropped: "b", scale: 2 }, 0, 1);
    expect(() => guided(full, tensor([1]))).toThrow("branch 1 is missing");
  });
});
