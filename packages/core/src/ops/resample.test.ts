import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../tensor/create.ts";
import { expectClose, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sample, sum, withAxis, type Nd } from "../testing/nd.ts";
import { gridSample, interpolate, type GridSampleOptions, type ResampleOptions } from "./resample.ts";

// four to sixteen products, with weights rounded to f32
const WEIGHTED: Tolerance = { absolute: 4e-6, relative: 4e-6 };

const hold = (i: number, n: number): number => Math.min(n - 1, Math.max(0, i));

/** Keys' cubic kernel with a = −0.75. */
function cubic(distance: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return 1.25 * d ** 3 - 2.25 * d ** 2 + 1;
  return d < 2 ? -0.75 * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
}

/** An axis of n resized to m, as torch.nn.functional.interpolate defines it; `ratio` is n/m or one over the given factor. */
function resized(x: Nd, axis: number, m: number, ratio: number, { mode, alignCorners }: ResampleOptions): Nd {
  const n = x.shape[axis] ?? 0;
  return build(withAxis(x.shape, axis, m), (index) => {
    const k = index[axis] ?? 0;
    const value = (i: number): number => at(x, withAxis(index, axis, hold(i, n)));
    if (mode === "nearest") return value(Math.floor(k * ratio));
    if (mode === "nearest-exact") return value(Math.floor((k + 0.5) * ratio));
    const place = alignCorners ? (k * (n - 1)) / Math.max(1, m - 1) : (k + 0.5) * ratio - 0.5;
    const low = Math.floor(place);
    if (mode === "cubic") return sum(4, (i) => cubic(place - (low - 1 + i)) * value(low - 1 + i));
    // positions outside are held to the ends
    const t = Math.max(0, place) - Math.floor(Math.max(0, place));
    return place < 0 ? value(0) : value(low) * (1 - t) + value(low + 1) * t;
  });
}

const MODES = ["nearest", "nearest-exact", "linear", "cubic"] as const;
for (const mode of MODES)
  for (const alignCorners of mode === "linear" || mode === "cubic" ? [false, true] : [false])
    describeOp(
      `interpolate ${mode}${alignCorners ? ", corners aligned" : ""}`,
      (x) => interpolate(x, { size: [7, 3], mode, alignCorners }),
      {
        cases: [{ x: [2, 1, 4, 5] }, { x: [1, 2, 1, 3] }],
        reference: (x) => {
          const [, , h = 0, w = 0] = x.shape;
          const rows = resized(x, 2, 7, h / 7, { mode, alignCorners });
          return resized(rows, 3, 3, w / 3, { mode, alignCorners });
        },
        tolerance: WEIGHTED,
      },
    );
describeOp("interpolate by factors", (x) => interpolate(x, { scaleFactor: [1.7], mode: "linear" }), {
  cases: [{ x: [2, 3, 5] }, { x: [0, 2, 3] }],
  reference: (x) => resized(x, 2, Math.floor((x.shape[2] ?? 0) * 1.7), 1 / 1.7, { mode: "linear" }),
  tolerance: WEIGHTED,
});

describe("interpolate", () => {
  test("doubles, halves and leaves alone", async () => {
    const x = tensor([[[1, 2, 3, 4]]]);
    expect([...(await interpolate(x, { scaleFactor: 2 }).data())]).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect([...(await interpolate(x, { scaleFactor: 0.5 }).data())]).toEqual([1, 3]);
    expect([...(await interpolate(x, { size: [2], mode: "linear" }).data())]).toEqual([1.5, 3.5]);
    // the middle of the four, with alignCorners and one element, is the first
    expect([...(await interpolate(x, { size: [1], mode: "linear", alignCorners: true }).data())]).toEqual([1]);
    expect(interpolate(x, { size: [4], mode: "cubic" })).toBe(x);
    expect(interpolate(zeros([1, 2, 2, 3, 4]), { scaleFactor: 2, mode: "linear" }).shape).toEqual([1, 2, 4, 6, 8]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "neither size nor factor",
      () => interpolate(zeros([1, 1, 3]), {}),
      "interpolate: needs a size of at least 1 or a factor for each axis behind [B, C], got [1, 1, 3] and undefined",
    ],
    [
      "both",
      () => interpolate(zeros([1, 1, 3]), { size: [3], scaleFactor: 1 }),
      "interpolate: needs a size of at least 1 or a factor",
    ],
    [
      "sizes of some axes",
      () => interpolate(zeros([1, 1, 3, 3]), { size: [6] }),
      "interpolate: needs a size of at least 1 or a factor for each axis behind [B, C], got [1, 1, 3, 3] and [6]",
    ],
    [
      "a size of nothing",
      () => interpolate(zeros([1, 1, 3]), { scaleFactor: 0.1 }),
      "interpolate: needs a size of at least 1",
    ],
    ["no axes", () => interpolate(zeros([1, 1]), { scaleFactor: 2 }), "interpolate: needs a size of at least 1"],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

/** @see torch.nn.functional.grid_sample */
function gridReference(
  x: Nd,
  grid: Nd,
  { mode = "bilinear", paddingMode = "zeros", alignCorners = false }: GridSampleOptions,
): Nd {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [, rows = 0, columns = 0] = grid.shape;
  const mirrored = (c: number, low: number, high: number): number => {
    if (high <= low) return 0;
    let p = c;
    while (p < low || p > high) p = p < low ? 2 * low - p : 2 * high - p;
    return p;
  };
  const place = (g: number, n: number): number => {
    const c = alignCorners ? ((g + 1) / 2) * (n - 1) : ((g + 1) * n - 1) / 2;
    if (paddingMode === "zeros") return c;
    if (paddingMode === "border") return hold(c, n);
    return hold(alignCorners ? mirrored(c, 0, n - 1) : mirrored(c, -0.5, n - 0.5), n);
  };
  return build([batch, channels, rows, columns], ([b = 0, c = 0, i = 0, j = 0]) => {
    const px = place(at(grid, [b, i, j, 0]), width);
    const py = place(at(grid, [b, i, j, 1]), height);
    const value = (u: number, v: number): number =>
      u < 0 || v < 0 || u >= width || v >= height ? 0 : at(x, [b, c, v, u]);
    if (mode === "nearest") return value(Math.round(px), Math.round(py));
    const [u, v] = [Math.floor(px), Math.floor(py)];
    const [s, t] = [px - u, py - v];
    return (
      (1 - s) * (1 - t) * value(u, v) +
      s * (1 - t) * value(u + 1, v) +
      (1 - s) * t * value(u, v + 1) +
      s * t * value(u + 1, v + 1)
    );
  });
}

for (const paddingMode of ["zeros", "border", "reflection"] as const)
  for (const alignCorners of [false, true])
    describeOp(
      `gridSample, outside ${paddingMode}${alignCorners ? ", corners aligned" : ""}`,
      (x, grid) => gridSample(x, grid, { paddingMode, alignCorners }),
      {
        cases: [{ x: [2, 2, 3, 4], grid: [2, 2, 3, 2] }],
        reference: (x, grid) => gridReference(x, grid, { paddingMode, alignCorners }),
        // positions of up to 8 pixels lose three bits, which the slopes between pixels multiply
        tolerance: { absolute: 1e-5, relative: 1e-5 },
        // far enough outside for two reflections
        range: [-3, 3],
      },
    );
describeOp("gridSample nearest", (x, grid) => gridSample(x, grid, { mode: "nearest" }), {
  cases: [{ x: [1, 2, 3, 5], grid: [1, 4, 2, 2] }],
  reference: (x, grid) => gridReference(x, grid, { mode: "nearest" }),
  tolerance: ROUNDING,
  throws: [
    [
      { x: [1, 2, 3], grid: [1, 4, 2, 2] },
      "gridSample: x [B, C, H, W] and grid [B, h, w, 2] must share B, got [1, 2, 3] and [1, 4, 2, 2]",
    ],
    [{ x: [2, 1, 3, 3], grid: [1, 4, 2, 2] }, "gridSample: x [B, C, H, W] and grid [B, h, w, 2] must share B"],
    [{ x: [1, 1, 3, 3], grid: [1, 4, 2, 3] }, "gridSample: x [B, C, H, W] and grid [B, h, w, 2] must share B"],
  ],
});

test("gridSample at the pixels' own centres is the picture, with either convention", async () => {
  const x = sample([1, 1, 3, 4], 2);
  const t = tensor(Float32Array.from(x.data), { shape: x.shape });
  const grid = (alignCorners: boolean): number[] =>
    [0, 1, 2].flatMap((i) =>
      [0, 1, 2, 3].flatMap((j) =>
        alignCorners ? [(2 * j) / 3 - 1, (2 * i) / 2 - 1] : [(2 * j + 1) / 4 - 1, (2 * i + 1) / 3 - 1],
      ),
    );
  for (const alignCorners of [false, true])
    await expectClose(
      gridSample(t, tensor(Float32Array.from(grid(alignCorners)), { shape: [1, 3, 4, 2] }), { alignCorners }),
      x,
      WEIGHTED,
    );
});
