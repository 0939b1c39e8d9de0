import { clothColours, skinTones } from "../palette.ts";
import { apply, invert } from "../raster/matrix.ts";
import { pattern, shade } from "../raster/paint.ts";
import type { Paint, Rgb } from "../raster/paint.ts";
import { ink, partLabel } from "./brush.ts";
import type { Brush } from "./brush.ts";
import { hipHeight } from "./skeleton.ts";
import type { Point, Skeleton } from "./skeleton.ts";

export const footHeight = 3.08;
const kneeHeight = 2.26;

export interface Leg {
  readonly hip: Point;
  readonly knee: Point;
  readonly ankle: Point;
}

/** Joints of a leg in scene coordinates: feet stay on the floor, hips follow the torso. */
export function legOf(skeleton: Skeleton, side: 1 | -1): Leg {
  const { identity, state } = skeleton;
  const hip: Point = [side * identity.hip * 0.55 + state.sway, hipHeight + state.bob];
  const ankle: Point = [side * (identity.hip * 0.55 + 0.06), footHeight - 0.12];
  return { hip, ankle, knee: [(hip[0] + ankle[0]) / 2 + side * 0.04, kneeHeight + state.bob / 2] };
}

export function drawBody(brush: Brush, skeleton: Skeleton): void {
  drawLegs(brush, skeleton);
  drawTorso(brush, skeleton);
}

function drawLegs(brush: Brush, skeleton: Skeleton): void {
  const { identity, scene, view } = skeleton;
  if (apply(scene, 0, hipHeight)[1] > view.height + 2) return;
  const { path } = brush;
  const skin = skinTones[identity.skin];
  const cloth = clothColours[identity.bottomColour];
  const bare = identity.bottom !== "trousers";
  for (const side of [-1, 1] as const) {
    const { hip, knee, ankle } = legOf(skeleton, side);
    path
      .reset(scene)
      .capsule(hip[0], hip[1], 0.25, knee[0], knee[1], 0.2)
      .capsule(knee[0], knee[1], 0.2, ankle[0], ankle[1], 0.16);
    ink(brush, bare ? skin : cloth, bare ? skin : cloth, "body");
    const shoe = shade(clothColours[identity.accentColour], 0.75);
    path.reset(scene).ellipse(ankle[0] + side * 0.08, footHeight, 0.25, 0.13);
    ink(brush, shoe, shoe, "body");
  }
  if (identity.bottom === "trousers") {
    path.reset(scene);
    for (const side of [-1, 1] as const) {
      const { hip, knee, ankle } = legOf(skeleton, side);
      path
        .capsule(hip[0], hip[1], 0.25, knee[0], knee[1], 0.2)
        .capsule(knee[0], knee[1], 0.2, ankle[0], ankle[1] - 0.04, 0.17);
    }
    brush.canvas.fill(path, cloth, partLabel("body"));
  }
  if (identity.bottom === "shorts") {
    path.reset(scene);
    for (const side of [-1, 1] as const) {
      const { hip, knee } = legOf(skeleton, side);
      path.capsule(hip[0], hip[1], 0.28, hip[0] + (knee[0] - hip[0]) * 0.6, hip[1] + (knee[1] - hip[1]) * 0.6, 0.27);
    }
    ink(brush, cloth, cloth, "body");
  }
  if (identity.bottom === "skirt" || identity.bottom === "dress") {
    const w = identity.hip;
    const x = skeleton.state.sway;
    const top = hipHeight - 0.3 + skeleton.state.bob;
    path
      .reset(scene)
      .moveTo(x - w, top)
      .lineTo(x + w, top)
      .quadTo(x + w + 0.14, 1.9, w + 0.3, 2.2)
      .quadTo(0, 2.34, -w - 0.3, 2.2)
      .quadTo(x - w - 0.14, 1.9, x - w, top);
    const colour = identity.bottom === "dress" ? clothColours[identity.shirtColour] : cloth;
    ink(brush, identity.bottom === "dress" ? shirtPaint(skeleton) : colour, colour, "body");
  }
}

function shirtPaint(skeleton: Skeleton): Paint {
  const { identity, torso } = skeleton;
  const base = clothColours[identity.shirtColour];
  return pattern(
    identity.shirtPattern,
    base,
    clothColours[identity.accentColour],
    invert(torso),
    identity.shirtPattern === "dotted" ? 0.34 : 0.4,
  );
}

function drawTorso(brush: Brush, skeleton: Skeleton): void {
  const { canvas, path } = brush;
  const { identity, torso } = skeleton;
  const skin = skinTones[identity.skin];
  const cloth = clothColours[identity.shirtColour];
  const s = identity.shoulder;
  const h = identity.hip;
  const neck: Point[] = [
    [-0.2, -0.4],
    [0.2, -0.4],
    [0.22, 0.2],
    [-0.22, 0.2],
  ];
  path.reset(torso).polygon(neck);
  ink(brush, shade(skin, 0.86), skin, "head");
  path
    .reset(torso)
    .moveTo(-0.24, -0.02)
    .quadTo(0, 0.1, 0.24, -0.02)
    .cubicTo(0.36, 0.06, s, 0.04, s + 0.1, 0.22)
    .cubicTo(s + 0.12, 0.5, h - 0.02, 0.8, h, 1.1)
    .lineTo(h + 0.05, hipHeight + 0.08)
    .quadTo(0, hipHeight + 0.2, -h - 0.05, hipHeight + 0.08)
    .lineTo(-h, 1.1)
    .cubicTo(-h + 0.02, 0.8, -s - 0.12, 0.5, -s - 0.1, 0.22)
    .cubicTo(-s, 0.04, -0.36, 0.06, -0.24, -0.02);
  ink(brush, shirtPaint(skeleton), cloth, "body");
  canvas.clip(path);
  drawCollar(brush, skeleton, skin, cloth);
  canvas.unclip();
}

function drawCollar(brush: Brush, skeleton: Skeleton, skin: Rgb, cloth: Rgb): void {
  const { canvas, path } = brush;
  const { identity, torso } = skeleton;
  const accent = clothColours[identity.accentColour];
  const label = partLabel("body");
  const neckline = (depth: number, width: number, colour: Rgb): void => {
    path
      .reset(torso)
      .moveTo(-width, -0.06)
      .lineTo(width, -0.06)
      .quadTo(width * 0.6, depth * 1.1, 0, depth)
      .quadTo(-width * 0.6, depth * 1.1, -width, -0.06);
    canvas.fill(path, colour, label);
  };
  switch (identity.collar) {
    case "crew":
      neckline(0.24, 0.34, shade(cloth, 0.75));
      return neckline(0.17, 0.27, shade(skin, 0.9));
    case "v-neck":
      path.reset(torso).polygon([
        [-0.34, -0.1],
        [0.34, -0.1],
        [0, 0.52],
      ]);
      canvas.fill(path, shade(cloth, 0.75), label);
      path.reset(torso).polygon([
        [-0.27, -0.1],
        [0.27, -0.1],
        [0, 0.42],
      ]);
      return canvas.fill(path, shade(skin, 0.9), label);
    case "hoodie":
      path.reset(torso).ellipse(0, 0.02, 0.52, 0.25);
      ink(brush, shade(cloth, 0.85), cloth, "body");
      neckline(0.16, 0.28, shade(cloth, 0.55));
      for (const side of [-1, 1]) {
        path.reset(torso).stroke([side * 0.14, 0.24, side * 0.16, 0.55], 0.05);
        canvas.fill(path, [240, 238, 232], null);
      }
      return;
    case "jacket":
      path.reset(torso).polygon([
        [-0.2, -0.1],
        [0.2, -0.1],
        [0.26, 1.7],
        [-0.26, 1.7],
      ]);
      canvas.fill(path, accent, label);
      for (const side of [-1, 1]) {
        path.reset(torso).polygon([
          [side * 0.18, -0.1],
          [side * 0.44, -0.04],
          [side * 0.42, 0.34],
          [side * 0.25, 0.5],
        ]);
        ink(brush, shade(cloth, 0.86), cloth, "body", 0.6);
      }
      return neckline(0.14, 0.22, shade(skin, 0.9));
    default: {
      path.reset(torso).polygon([
        [-0.24, -0.1],
        [0.24, -0.1],
        [0, 0.3],
      ]);
      canvas.fill(path, shade(skin, 0.9), label);
      const flap = identity.shirtColour === "white" ? shade(cloth, 0.86) : ([244, 243, 238] as const);
      if (identity.collar === "tie") {
        path.reset(torso).polygon([
          [-0.09, 0.14],
          [0.09, 0.14],
          [0.06, 0.3],
          [0.13, 0.95],
          [0, 1.12],
          [-0.13, 0.95],
          [-0.06, 0.3],
        ]);
        ink(brush, accent, accent, "body", 0.6);
      } else {
        for (const y of [0.5, 0.8, 1.1]) {
          path.reset(torso).ellipse(0, y, 0.045);
          canvas.fill(path, shade(cloth, 0.5), null);
        }
      }
      for (const side of [-1, 1]) {
        path.reset(torso).polygon([
          [side * 0.2, -0.12],
          [side * 0.38, 0.02],
          [side * 0.28, 0.28],
          [0, 0.2],
        ]);
        ink(brush, flap, flap, "body", 0.6);
      }
    }
  }
}
