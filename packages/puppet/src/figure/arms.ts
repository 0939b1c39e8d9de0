import { clothColours, skinTones } from "../palette.ts";
import { compose } from "../raster/matrix.ts";
import { shade } from "../raster/paint.ts";
import { ink } from "./brush.ts";
import type { Brush } from "./brush.ts";
import { fingertips, palm } from "./skeleton.ts";
import type { Arm, Skeleton } from "./skeleton.ts";

const fingerRadius = [0.06, 0.055, 0.057, 0.055, 0.05] as const;

/** Sleeve, forearm and hand of one side. */
export function drawArm(brush: Brush, skeleton: Skeleton, arm: Arm): void {
  const { path } = brush;
  const { identity, scene } = skeleton;
  const skin = skinTones[identity.skin];
  const cloth = clothColours[identity.shirtColour];
  const [sx, sy] = arm.shoulder;
  const [ex, ey] = arm.elbow;
  const [wx, wy] = arm.wrist;
  const along = (t: number): [number, number] => [ex + (wx - ex) * t, ey + (wy - ey) * t];
  if (!identity.longSleeves) {
    path.reset(scene).capsule(sx, sy, 0.15, ex, ey, 0.13).capsule(ex, ey, 0.13, wx, wy, 0.105);
    ink(brush, skin, skin, "arms");
  }
  drawHand(brush, skeleton, arm);
  path.reset(scene);
  if (identity.longSleeves) {
    const [cx, cy] = along(0.94);
    path.capsule(sx, sy, 0.2, ex, ey, 0.165).capsule(ex, ey, 0.165, cx, cy, 0.14);
  } else {
    path.capsule(sx, sy, 0.2, sx + (ex - sx) * 0.6, sy + (ey - sy) * 0.6, 0.2);
  }
  ink(brush, shade(cloth, 0.94), cloth, "arms");
}

function drawHand(brush: Brush, skeleton: Skeleton, arm: Arm): void {
  const skin = skinTones[skeleton.identity.skin];
  const { path } = brush;
  path.reset(compose(skeleton.scene, arm.hand)).ellipse(palm[0], palm[1], 0.165, 0.15);
  path.capsule(-0.02, 0, 0.1, palm[0], palm[1], 0.11);
  fingertips(arm.state).forEach(([x, y], i) => {
    const radius = fingerRadius[i] ?? 0.05;
    // Fingers start at the palm's rim, so that a fist keeps its round shape.
    path.capsule(palm[0] + (x - palm[0]) * 0.3, palm[1] + (y - palm[1]) * 0.3, radius, x, y, radius);
  });
  ink(brush, skin, skin, arm.side > 0 ? "leftHand" : "rightHand");
}
