import { Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { layoutOf } from "./inputs.ts";
import { applyRope, rope3d, ropeAngles, tokenPositions } from "./rope3d.ts";
import type { Position, RopePairs } from "./rope3d.ts";
import { tinyConfig, tinyInputs } from "./tiny-model.ts";

const config = { ...tinyConfig, headDim: 32, ropeAxes: [4, 6, 6], ropeTheta: 100 } as const;

/** q·k of each pair of positions, q and k the same vectors for all. */
async function scores(
  queries: readonly Position[],
  keys: readonly Position[],
  pairs: RopePairs = "halves",
): Promise<number[]> {
  const vectors = new Rng(3).normal([1, 1, 2, 1, 32]);
  const rotated = (positions: readonly Position[], which: 0 | 1) =>
    applyRope(
      vectors.expand([1, positions.length, 2, 1, 32]),
      new Rng(4).uniform([1, 2, 1, 32], 0.5, 2),
      rope3d(positions, config, pairs),
    ).slice(2, which, which + 1);
  const products = rotated(queries, 0).mul(rotated(keys, 1)).sum({ axis: -1 });
  return [...(await products.data())];
}

describe("rope3d", () => {
  test.each(["halves", "interleaved"] as const)(
    "scores depend on the difference of positions only, on every axis, %s",
    async (split) => {
      const pairs: [Position, Position][] = [
        [
          [3, 1, 2],
          [1, 4, 0],
        ],
        [
          [0, 0, 5],
          [2, 2, 2],
        ],
        [
          [7, 3, 3],
          [7, 3, 3],
        ],
      ];
      const shift = (p: Position): Position => p && [p[0] + 5, p[1] + 2, p[2] + 3];
      const near = await scores(
        pairs.map(([q]) => q),
        pairs.map(([, k]) => k),
        split,
      );
      const far = await scores(
        pairs.map(([q]) => shift(q)),
        pairs.map(([, k]) => shift(k)),
        split,
      );
      // f32 rotations of 32 products of size ~1
      near.forEach((score, i) => expect(far[i]).toBeCloseTo(score, 4));
    },
  );

  test("each axis turns its own pairs: moving along t, y or x changes different scores", async () => {
    const origin: Position = [2, 2, 2];
    const moved: Position[] = [[3, 2, 2], [2, 3, 2], [2, 2, 3], origin];
    const values = await scores(
      moved,
      moved.map(() => origin),
    );
    expect(new Set(values.map((v) => v.toFixed(4))).size).toBe(4);
  });

  test("position null is not rotated, nor is the origin", () => {
    expect([...ropeAngles([null, [0, 0, 0]], [1, 1, 2], 100)]).toEqual(new Array(8).fill(0));
  });

  test("pair i of n turns by position · θ^(-i/n)", () => {
    // from the formula: t = 2 over two pairs of base 100 gives 2, 0.2; y = 3 and x = 5 over one pair each
    expect([...ropeAngles([[2, 3, 5]], [2, 1, 1], 100)]).toEqual([2, expect.closeTo(0.2, 12), 3, 5]);
  });
});

describe("applyRope", () => {
  test.each([
    // a quarter turn takes (1, 0) to (0, 1) and (0, 1) to (−1, 0)
    ["halves", [1, 2, 3, 4], [-3, -4, 1, 2]],
    ["interleaved", [1, 2, 3, 4], [-2, 1, -4, 3]],
  ] as const)("turns the pairs of a head, %s", async (pairs, head, turned) => {
    const quarter = { ropeAxes: [2, 0, 0], ropeTheta: 1 } as const;
    const rope = rope3d([[Math.PI / 2, 0, 0]], quarter, pairs);
    const qk = tensor([...head, ...head], { shape: [1, 1, 2, 1, 4] });
    const values = [...(await applyRope(qk, null, rope).data())];
    values.forEach((value, i) => expect(value).toBeCloseTo(turned[i % 4] ?? NaN, 5));
  });
});

describe("tokenPositions", () => {
  const layout = layoutOf(tinyConfig, tinyInputs());

  test("the reference has temporal 0 and the y and x of the video, whose time starts at 1", () => {
    const positions = tokenPositions(layout, "none").slice(layout.textLength);
    const frame = (i: number): Position[] =>
      positions.slice(i * layout.tokensPerFrame, (i + 1) * layout.tokensPerFrame);
    expect(frame(0).map((p) => p?.[0])).toEqual(new Array(6).fill(0));
    expect(frame(0).map((p) => p?.slice(1))).toEqual(frame(1).map((p) => p?.slice(1)));
    // motion 1, noisy 2 … 4: true positions in time
    expect([1, 2, 3, 4].map((i) => frame(i)[0]?.[0])).toEqual([1, 2, 3, 4]);
  });

  test("text stands nowhere, or at its index on all axes", () => {
    expect(tokenPositions(layout, "none").slice(0, 3)).toEqual([null, null, null]);
    expect(tokenPositions(layout, "mm").slice(0, 3)).toEqual([
      [0, 0, 0],
      [1, 1, 1],
      [2, 2, 2],
    ]);
  });
});
