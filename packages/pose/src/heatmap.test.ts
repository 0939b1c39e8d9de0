import { describe, expect, test } from "vitest";
import { grad, ShapeError, tensor } from "@omni/core";
import { renderHeatmaps } from "./heatmap.ts";

const sigma = { unit: "pixels", value: 1.5 } as const;

describe("renderHeatmaps", () => {
  test("has its peak of 1 in the pixel that holds the point", async () => {
    // the centre of pixel (row 2, column 5) of 8×10
    const point = tensor([5.5 / 10, 2.5 / 8, 1], { shape: [1, 1, 3] });
    const map = renderHeatmaps(point, { height: 8, width: 10, sigma });
    expect(map.shape).toEqual([1, 1, 8, 10]);
    const values = [...(await map.data())];
    const peak = values.indexOf(Math.max(...values));
    expect([Math.floor(peak / 10), peak % 10]).toEqual([2, 5]);
    expect(values[peak]).toBeCloseTo(1, 5);
  });

  test("falls off as exp(-d²/2σ²) in both directions", async () => {
    const point = tensor([5.5 / 10, 2.5 / 8, 1], { shape: [1, 1, 3] });
    const values = await renderHeatmaps(point, { height: 8, width: 10, sigma }).data();
    expect(values[2 * 10 + 8]).toBeCloseTo(Math.exp(-9 / 4.5), 5); // three columns away
    expect(values[4 * 10 + 6]).toBeCloseTo(Math.exp(-5 / 4.5), 5); // two rows and one column
  });

  test("gives zeros for invisible points, and visibility scales", async () => {
    const points = tensor([0.5, 0.5, 0, 0.5, 0.5, 0.5], { shape: [1, 2, 3] });
    const values = [...(await renderHeatmaps(points, { height: 3, width: 3, sigma }).data())];
    expect(values.slice(0, 9)).toEqual(new Array(9).fill(0));
    expect(values[9 + 4]).toBeCloseTo(0.5, 5);
  });

  test("a fraction is of the shorter side", async () => {
    const points = tensor([0.4, 0.6, 1], { shape: [1, 1, 3] });
    const size = { height: 8, width: 12 };
    const byFraction = await renderHeatmaps(points, { ...size, sigma: { unit: "fraction", value: 0.25 } }).data();
    const byPixels = await renderHeatmaps(points, { ...size, sigma: { unit: "pixels", value: 2 } }).data();
    expect([...byFraction]).toEqual([...byPixels]);
  });

  test("keeps leading axes", () => {
    const points = tensor(new Float32Array(2 * 5 * 4 * 3), { shape: [2, 5, 4, 3] });
    expect(renderHeatmaps(points, { height: 6, width: 7, sigma }).shape).toEqual([2, 5, 4, 6, 7]);
  });

  test("points can be moved by gradient", async () => {
    const points = tensor([0.3, 0.6, 1], { shape: [1, 1, 3] });
    // at the right of the point, moving it right raises the map
    const right = renderHeatmaps(points, { height: 8, width: 8, sigma }).slice(-1, 5).sum();
    const [slope] = grad(right, [points]);
    expect((await slope?.data())?.[0]).toBeGreaterThan(0);
  });

  test("refuses points without visibility", () => {
    expect(() => renderHeatmaps(tensor([1, 2], { shape: [1, 2] }), { height: 4, width: 4, sigma })).toThrow(ShapeError);
  });
});
