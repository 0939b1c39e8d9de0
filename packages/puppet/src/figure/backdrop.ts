import type { Identity } from "../identity.ts";
import { clothColours, wallColours } from "../palette.ts";
import { identity as pixels, invert } from "../raster/matrix.ts";
import { linearGradient, mixRgb, pattern, shade } from "../raster/paint.ts";
import type { Rgb } from "../raster/paint.ts";
import { Random } from "../random.ts";
import { makeBrush } from "./brush.ts";
import { viewMatrix } from "./view.ts";
import type { View } from "./view.ts";
import type { Canvas } from "../raster/canvas.ts";

const white: Rgb = [255, 255, 255];
const floorHeight = 2.75;

/** Paint the room behind the person. It never moves. */
export function drawBackdrop(canvas: Canvas, identity: Identity, view: View): void {
  const { path } = makeBrush(canvas, view);
  const scene = viewMatrix(view);
  const wall: Rgb = wallColours[identity.wallColour];
  const accent = mixRgb(wall, clothColours[identity.bottomColour], 0.3);
  const random = new Random(identity.seed).fork("backdrop");
  const { width, height } = view;
  canvas.clear(linearGradient(0, 0, 0, height, mixRgb(wall, white, 0.25), shade(wall, 0.9)));
  const box = (x0: number, y0: number, x1: number, y1: number, colour: Rgb): void => {
    path.reset(scene).polygon([
      [x0, y0],
      [x1, y0],
      [x1, y1],
      [x0, y1],
    ]);
    canvas.fill(path, colour);
  };
  const side = random.chance(0.5) ? 1 : -1;
  switch (identity.room) {
    case "stripes":
      canvas.clear(
        pattern("pinstriped", mixRgb(wall, white, 0.15), shade(wall, 0.93), invert(scene), random.range(0.7, 1.2)),
      );
      break;
    case "dots":
      canvas.clear(pattern("dotted", wall, mixRgb(wall, white, 0.35), invert(scene), random.range(0.6, 0.9)));
      break;
    case "window": {
      const x = side * random.range(0.9, 1.3);
      box(x - 0.72, -2.3, x + 0.72, -0.3, shade(wall, 0.7));
      box(x - 0.64, -2.22, x + 0.64, -0.38, [196, 226, 250]);
      path
        .reset(scene)
        .ellipse(x - 0.2, -1.1, 0.3, 0.14)
        .ellipse(x + 0.15, -1.2, 0.28, 0.16);
      canvas.fill(path, white, null, 0.9);
      box(x - 0.04, -2.22, x + 0.04, -0.38, shade(wall, 0.7));
      box(x - 0.64, -1.34, x + 0.64, -1.26, shade(wall, 0.7));
      break;
    }
    case "picture": {
      const x = side * random.range(1, 1.3);
      box(x - 0.56, -2, x + 0.56, -0.7, [126, 90, 60]);
      box(x - 0.46, -1.9, x + 0.46, -0.8, [240, 236, 220]);
      path.reset(scene).polygon([
        [x - 0.46, -0.8],
        [x - 0.1, -1.5],
        [x + 0.12, -1.1],
        [x + 0.26, -1.3],
        [x + 0.46, -0.8],
      ]);
      canvas.fill(path, accent);
      path.reset(scene).ellipse(x + 0.2, -1.62, 0.12);
      canvas.fill(path, clothColours.orange);
      break;
    }
    case "shelf":
      for (const y of [-1.7, -0.6, 0.5]) {
        let x = -2.6;
        while (x < 2.6) {
          const w = random.range(0.12, 0.26);
          const h = random.range(0.55, 0.8);
          if (random.chance(0.85))
            box(
              x,
              y - h,
              x + w - 0.03,
              y,
              mixRgb(
                wall,
                clothColours[random.pick(["red", "blue", "green", "orange", "navy", "teal"] as const)],
                0.55,
              ),
            );
          x += w;
        }
        box(-3, y, 3, y + 0.1, shade(wall, 0.62));
      }
      break;
    case "hills":
      canvas.clear(linearGradient(0, 0, 0, height, [150, 200, 244], [226, 240, 250]));
      path.reset(scene).ellipse(side * 1.2, -1.9, 0.34);
      canvas.fill(path, [252, 226, 130]);
      path.reset(scene).ellipse(-1.6, 1.9, 2.2, 1.8).ellipse(2.2, 2.1, 2.4, 1.7);
      canvas.fill(path, mixRgb([130, 186, 120], wall, 0.3));
      path.reset(scene).ellipse(0.4, 3.6, 4.6, 2.2);
      canvas.fill(path, mixRgb([150, 204, 120], wall, 0.2));
      break;
    case "city": {
      canvas.clear(linearGradient(0, 0, 0, height, mixRgb(wall, white, 0.4), mixRgb(wall, white, 0.7)));
      let x = -2.8;
      while (x < 2.8) {
        const w = random.range(0.45, 0.9);
        const top = random.range(-1.9, -0.2);
        const tone = shade(wall, random.range(0.66, 0.84));
        box(x, top, x + w - 0.05, 4, tone);
        for (let y = top + 0.16; y < 2; y += 0.34)
          for (let u = x + 0.1; u < x + w - 0.2; u += 0.24)
            if (random.chance(0.6)) box(u, y, u + 0.12, y + 0.16, mixRgb(tone, [255, 240, 190], 0.7));
        x += w;
      }
      break;
    }
    case "curtain":
      canvas.clear(pattern("pinstriped", shade(accent, 1.02), shade(accent, 0.86), invert(scene), 0.42));
      break;
    default: {
      path.reset(pixels).ellipse(width / 2, height * 0.42, width * 0.55, height * 0.5);
      canvas.fill(path, mixRgb(wall, white, 0.3), null, 0.35);
    }
  }
  if (identity.room !== "hills") {
    box(-9, floorHeight, 9, 9, shade(mixRgb(wall, [170, 130, 96], 0.55), 0.9));
    box(-9, floorHeight - 0.1, 9, floorHeight, shade(wall, 0.78));
  }
  path.reset(scene).ellipse(0, 3.14, 0.8, 0.1);
  canvas.fill(path, [40, 40, 60], null, 0.25);
  canvas.labels.fill(0);
}
