import { clothColours, hairColours, skinTones } from "../palette.ts";
import { compose, place } from "../raster/matrix.ts";
import { mixRgb, shade } from "../raster/paint.ts";
import type { Rgb } from "../raster/paint.ts";
import { ink, partLabel } from "./brush.ts";
import type { Brush } from "./brush.ts";
import { drawBrows, drawEye, drawGlasses, drawMouth, drawNose } from "./face.ts";
import { drawBackHair, drawFrontHair } from "./hair.ts";
import { drawHat } from "./hat.ts";
import { jawDrop } from "./skeleton.ts";
import type { Point, Skeleton } from "./skeleton.ts";

// Power of the lower half's superellipse: 2 is an ellipse, more is squarer.
const jaws = { round: 2.15, oval: 1.9, square: 2.7, heart: 1.65 } as const;

/** The chin's lowest point in the head's plane. */
export function chinPoint(skeleton: Skeleton): Point {
  const { state } = skeleton;
  return [0.16 * Math.sin(state.yaw), 0.98 + jawDrop(state.mouth.open) + 0.06 * Math.sin(state.pitch)];
}

/** Outline of the face in the head's plane, clockwise from the right temple. */
export function faceOutline(skeleton: Skeleton, grow = 0): Point[] {
  const { identity } = skeleton;
  const [chinX, chinY] = chinPoint(skeleton);
  const power = 2 / jaws[identity.face];
  const points: Point[] = [];
  for (let i = 0; i < 48; i++) {
    const t = (2 * Math.PI * i) / 48;
    const cos = Math.cos(t);
    const sin = Math.sin(t);
    if (sin <= 0) points.push([(identity.faceWidth + grow) * cos, (1 + grow) * sin]);
    else {
      const down = Math.pow(sin, power);
      points.push([
        (identity.faceWidth + grow) * Math.sign(cos) * Math.pow(Math.abs(cos), power) + chinX * down,
        (chinY + grow) * down,
      ]);
    }
  }
  return points;
}

/** All of the head that stands before the body. */
export function drawHead(brush: Brush, skeleton: Skeleton): void {
  const { canvas, path } = brush;
  const { identity, head } = skeleton;
  const skin = skinTones[identity.skin];
  for (const side of [-1, 1] as const) drawEar(brush, skeleton, side);
  path.reset(head).polygon(faceOutline(skeleton));
  ink(brush, skin, skin, "head");
  const outline = path;
  canvas.clip(outline);
  // The hair's shadow on the forehead and the jaw's own shadow give the flat face some volume.
  path.reset(head).ellipse(-0.2 * Math.sin(skeleton.state.yaw), -0.62, 1.1, 0.42);
  if (identity.hairStyle !== "bald") canvas.fill(path, shade(skin, 0.86), null, 0.5);
  drawCheeks(brush, skeleton, skin);
  canvas.unclip();
  drawBeard(brush, skeleton, skin);
  drawEye(brush, skeleton, 1);
  drawEye(brush, skeleton, -1);
  drawNose(brush, skeleton, skin);
  drawMouth(brush, skeleton, skin);
  drawFrontHair(brush, skeleton);
  drawBrows(brush, skeleton);
  drawGlasses(brush, skeleton);
  drawHat(brush, skeleton);
}

/** What hangs behind the body and the face. */
export function drawBehindHead(brush: Brush, skeleton: Skeleton): void {
  drawBackHair(brush, skeleton);
}

function drawEar(brush: Brush, skeleton: Skeleton, side: 1 | -1): void {
  const { identity, state, head } = skeleton;
  const skin = skinTones[identity.skin];
  const [x, y] = earPoint(skeleton, side);
  brush.path.reset(head).ellipse(x, y, 0.15, 0.2, side * -0.15);
  ink(brush, skin, skin, "head");
  brush.path.reset(head).ellipse(x - side * 0.01, y + 0.01, 0.075, 0.11, side * -0.15);
  brush.canvas.fill(brush.path, shade(skin, 0.84), null, 0.8);
  if (identity.earrings && Math.abs(state.yaw) < 0.6) {
    brush.path.reset(head).ellipse(x, y + 0.24, 0.055);
    ink(brush, clothColours.yellow, clothColours.yellow, "head");
  }
}

/** Ears sit at the sides and a little behind, so they move against the turn of the face. */
export function earPoint(skeleton: Skeleton, side: 1 | -1): Point {
  const { identity, state } = skeleton;
  return [
    side * (identity.faceWidth + 0.03) * Math.cos(state.yaw) - 0.14 * Math.sin(state.yaw),
    0.16 - 0.12 * Math.sin(state.pitch),
  ];
}

function drawCheeks(brush: Brush, skeleton: Skeleton, skin: Rgb): void {
  const { identity } = skeleton;
  const { canvas, path } = brush;
  for (const side of [-1, 1] as const) {
    if (identity.blush > 0) {
      const { matrix } = skeleton.feature(side * 0.55, 0.42);
      path.reset(matrix).ellipse(0, 0, 0.16, 0.1);
      canvas.fill(path, mixRgb(skin, [236, 120, 96], 0.6), null, identity.blush * 1.6);
    }
    if (identity.freckles) {
      for (const [dx, dy] of [
        [0, 0],
        [0.12, 0.05],
        [-0.1, 0.07],
        [0.03, 0.12],
      ] as const) {
        const { matrix } = skeleton.feature(side * 0.47 + dx, 0.34 + dy);
        path.reset(matrix).ellipse(0, 0, 0.03);
        canvas.fill(path, shade(skin, 0.72), null, 0.9);
      }
    }
  }
}

function drawBeard(brush: Brush, skeleton: Skeleton, skin: Rgb): void {
  const { identity, head, project } = skeleton;
  const { canvas, path } = brush;
  if (identity.beard === "none") return;
  const colour = hairColours[identity.hairColour];
  const [chinX, chinY] = chinPoint(skeleton);
  const open = jawDrop(skeleton.state.mouth.open);
  const full = identity.beard === "beard" || identity.beard === "stubble";
  if (full) {
    // Along the jaw from ear to ear, with a bay around the mouth.
    const outline = faceOutline(skeleton, identity.beard === "beard" ? 0.06 : 0).filter(([, y]) => y > 0.12);
    const inner = [
      [-0.8, 0.2],
      [-0.62, 0.42],
      [-0.46, 0.44],
      [-0.2, 0.42],
      [0, 0.46],
      [0.2, 0.42],
      [0.46, 0.44],
      [0.62, 0.42],
      [0.8, 0.2],
    ] as const;
    path.reset(head).polygon([...outline, ...inner.map(([x, y]) => project(x, y))]);
    canvas.fill(path, identity.beard === "beard" ? colour : mixRgb(skin, colour, 0.35), partLabel("head"));
    const { matrix } = skeleton.feature(0, 0.64);
    path.reset(compose(matrix, place(0, 0.02 + open / 2))).ellipse(0, 0, 0.36 * identity.mouthWidth, 0.15 + open);
    canvas.fill(path, identity.beard === "beard" ? mixRgb(skin, colour, 0.08) : skin, null);
    return;
  }
  if (identity.beard === "goatee") {
    path.reset(head).ellipse(chinX * 0.9, chinY - 0.06, 0.2, 0.15);
    ink(brush, colour, colour, "head", 0.6);
    return;
  }
  const { matrix } = skeleton.feature(0, 0.47);
  path.reset(matrix).smooth([
    [0, -0.05],
    [0.2, -0.03],
    [0.36, 0.09],
    [0.18, 0.05],
    [0, 0.03],
    [-0.18, 0.05],
    [-0.36, 0.09],
    [-0.2, -0.03],
  ]);
  ink(brush, colour, colour, "head", 0.5);
}
