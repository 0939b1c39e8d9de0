import { clothColours } from "../palette.ts";
import { mixRgb, shade } from "../raster/paint.ts";
import { ink } from "./brush.ts";
import type { Brush } from "./brush.ts";
import type { Skeleton } from "./skeleton.ts";

/** Hats and other things worn on the hair. */
export function drawHat(brush: Brush, skeleton: Skeleton): void {
  const { identity, head, state, project } = skeleton;
  const { canvas, path } = brush;
  if (identity.hat === "none") return;
  const colour = clothColours[identity.hatColour];
  const w = identity.faceWidth + 0.12;
  const x = -0.04 * Math.sin(state.yaw);
  const brim = -0.42 + 0.2 * Math.sin(state.pitch);
  switch (identity.hat) {
    case "beanie":
      path.reset(head).smooth([
        [x - w, brim],
        [x - w * 0.9, -0.95],
        [x - 0.4, -1.32],
        [x + 0.4, -1.32],
        [x + w * 0.9, -0.95],
        [x + w, brim],
        [x + 0.4, brim - 0.12],
        [x - 0.4, brim - 0.12],
      ]);
      ink(brush, colour, colour, "hair");
      path
        .reset(head)
        .stroke([x - w * 0.96, brim, x - 0.4, brim - 0.14, x + 0.4, brim - 0.14, x + w * 0.96, brim], 0.26);
      ink(brush, shade(colour, 1.12), colour, "hair");
      path.reset(head).ellipse(x, -1.36, 0.18);
      return ink(brush, mixRgb(colour, [255, 255, 255], 0.55), colour, "hair");
    case "cap": {
      path.reset(head).smooth([
        [x - w, brim],
        [x - w * 0.88, -0.9],
        [x - 0.4, -1.26],
        [x + 0.4, -1.26],
        [x + w * 0.88, -0.9],
        [x + w, brim],
        [x + 0.4, brim - 0.1],
        [x - 0.4, brim - 0.1],
      ]);
      ink(brush, colour, colour, "hair");
      const peak = 0.5 * Math.sin(state.yaw);
      path.reset(head).smooth([
        [peak - 0.72, brim - 0.06],
        [peak, brim - 0.2],
        [peak + 0.72, brim - 0.06],
        [peak + 0.62, brim + 0.1],
        [peak, brim + 0.03],
        [peak - 0.62, brim + 0.1],
      ]);
      return ink(brush, shade(colour, 0.8), colour, "hair");
    }
    case "headband": {
      const points: number[] = [];
      for (let i = 0; i <= 10; i++) {
        const t = Math.PI * (1.04 + (0.92 * i) / 10);
        points.push(x + (identity.faceWidth + 0.09) * Math.cos(t), 0.1 + 0.98 * Math.sin(t));
      }
      path.reset(head).stroke(points, 0.13);
      return ink(brush, colour, colour, "hair");
    }
    case "flower": {
      const [fx, fy] = project(0.62, -0.62, 1.15);
      path.reset(head);
      for (let i = 0; i < 5; i++)
        path.ellipse(fx + 0.13 * Math.cos(i * 1.2566), fy + 0.13 * Math.sin(i * 1.2566), 0.11);
      ink(brush, mixRgb(colour, [255, 255, 255], 0.3), colour, "hair");
      path.reset(head).ellipse(fx, fy, 0.09);
      canvas.fill(path, clothColours.yellow, null);
    }
  }
}
