import {
  clothColours,
  eyeColours,
  hairColours,
  mouthInterior,
  skinTones,
  teethColour,
  tongueColour,
} from "../palette.ts";
import { apply, compose, place } from "../raster/matrix.ts";
import type { Matrix } from "../raster/matrix.ts";
import { mixRgb, shade } from "../raster/paint.ts";
import type { Rgb } from "../raster/paint.ts";
import { partLabel } from "./brush.ts";
import type { Brush } from "./brush.ts";
import { jawDrop } from "./skeleton.ts";
import type { Point, Skeleton } from "./skeleton.ts";

export const eyeHeight = 0.1;
export const mouthHeight = 0.62;
const browHeight = -0.24;

/** Half width and height of the open eye, in head units. */
export function eyeSize(skeleton: Skeleton): { rx: number; ry: number } {
  const { eyeStyle, eyeSize: size } = skeleton.identity;
  if (eyeStyle === "round") return { rx: 0.18 * size, ry: 0.22 * size };
  if (eyeStyle === "almond") return { rx: 0.2 * size, ry: 0.165 * size };
  return { rx: 0.115 * size, ry: 0.175 * size };
}

/** The map of one eye to pixels; side +1 is the person's left eye. */
export function eyeMatrix(skeleton: Skeleton, side: 1 | -1): Matrix {
  return skeleton.feature(side * skeleton.identity.eyeGap, eyeHeight).matrix;
}

export function drawEye(brush: Brush, skeleton: Skeleton, side: 1 | -1): void {
  const { canvas, path } = brush;
  const { identity, state } = skeleton;
  const matrix = eyeMatrix(skeleton, side);
  const open = side > 0 ? state.leftEye : state.rightEye;
  const { rx, ry } = eyeSize(skeleton);
  const label = partLabel("eyes");
  const skin = skinTones[identity.skin];
  const lash: Rgb = mixRgb(shade(skin, 0.3), [30, 22, 26], 0.6);
  const height = Math.max(0.03, ry * open);
  // The lids meet a little under the middle.
  const y = (ry - height) * 0.35;
  const lidWidth = identity.lips > 0.26 ? 0.07 : 0.05;
  if (open < 0.18) {
    path
      .reset(matrix)
      .stroke(arc(0, y - 0.03, rx * 0.95, 0.05, 0.15, Math.PI - 0.15), [lidWidth * 0.6, lidWidth, lidWidth * 0.6]);
    canvas.fill(path, lash, label);
    return;
  }
  const iris = eyeColours[identity.eyeColour];
  if (identity.eyeStyle === "dot") {
    path.reset(matrix).ellipse(0, y, rx, height);
    canvas.fill(path, lash, label);
    path
      .reset(matrix)
      .ellipse(rx * (0.3 + 0.25 * state.gazeX), y - height * 0.35, rx * 0.34, Math.max(0.03, height * 0.26));
    canvas.fill(path, [255, 255, 255], null);
    return;
  }
  path.reset(matrix).ellipse(0, y, rx, height);
  canvas.fill(path, [252, 252, 250], label);
  canvas.clip(path);
  const ix = rx * 0.34 * state.gazeX;
  const iy = ry * (0.06 + 0.26 * state.gazeY);
  const radius = Math.min(rx, ry) * 0.72;
  path.reset(matrix).ellipse(ix, iy, radius);
  canvas.fill(path, shade(iris, 0.7), null);
  path.reset(matrix).ellipse(ix, iy + radius * 0.14, radius * 0.8);
  canvas.fill(path, shade(iris, 1.15), null);
  path.reset(matrix).ellipse(ix, iy, radius * 0.5);
  canvas.fill(path, [26, 22, 30], null);
  path.reset(matrix).ellipse(ix + radius * 0.35, iy - radius * 0.4, radius * 0.3);
  canvas.fill(path, [255, 255, 255], null);
  // The upper lid's shadow.
  path.reset(matrix).ellipse(0, y - height * 1.02, rx * 1.2, height * 0.34);
  canvas.fill(path, [120, 120, 150], null, 0.4);
  canvas.unclip();
  path
    .reset(matrix)
    .stroke(arc(0, y, rx, height, -0.05, Math.PI + 0.05, true), [lidWidth * 0.8, lidWidth, lidWidth * 0.8]);
  canvas.fill(path, lash, label);
  if (lidWidth > 0.06) {
    path
      .reset(matrix)
      .stroke([side * rx * 0.9, y - height * 0.3, side * rx * 1.25, y - height * 0.62], [0.05, 0.04, 0.03]);
    canvas.fill(path, lash, label);
  }
}

function arc(x: number, y: number, rx: number, ry: number, from: number, to: number, above = false): number[] {
  const points: number[] = [];
  for (let i = 0; i <= 10; i++) {
    const t = from + ((to - from) * i) / 10;
    points.push(x + rx * Math.cos(t), y + (above ? -1 : 1) * ry * Math.sin(t));
  }
  return points;
}

/** Three points of a brow (inner end, middle, outer end) in the head's plane. */
export function browPoints(skeleton: Skeleton, side: 1 | -1): [Point, Point, Point] {
  const { identity, state, project } = skeleton;
  const lift = browHeight - 0.11 * state.browRaise - (identity.eyeStyle === "round" ? 0.03 : 0);
  const tilt = identity.browTilt;
  const x = identity.eyeGap;
  return [
    project(side * (x - 0.17), lift - 0.01 + tilt * 0.4),
    project(side * (x + 0.03), lift - 0.06),
    project(side * (x + 0.21), lift + 0.03 - tilt * 0.3),
  ];
}

export function drawBrows(brush: Brush, skeleton: Skeleton): void {
  const { identity, head } = skeleton;
  const skin = skinTones[identity.skin];
  const colour =
    identity.hairStyle === "bald"
      ? shade(skin, 0.45)
      : mixRgb(shade(hairColours[identity.hairColour], 0.72), shade(skin, 0.4), 0.25);
  for (const side of [-1, 1] as const) {
    const [inner, middle, outer] = browPoints(skeleton, side);
    const points: number[] = [];
    for (let i = 0; i <= 8; i++) {
      const t = i / 8;
      const a = 2 * (t - 0.5) * (t - 1);
      const b = -4 * t * (t - 1);
      const c = 2 * t * (t - 0.5);
      points.push(a * inner[0] + b * middle[0] + c * outer[0], a * inner[1] + b * middle[1] + c * outer[1]);
    }
    const w = identity.browWidth;
    brush.path.reset(head).stroke(points, [w, w * 1.15, w * 0.6]);
    brush.canvas.fill(brush.path, colour, partLabel("brows"));
  }
}

export function drawNose(brush: Brush, skeleton: Skeleton, skin: Rgb): void {
  const { identity, head, project, state } = skeleton;
  const { canvas, path } = brush;
  const size = identity.noseSize;
  const [x, y] = project(0, 0.36, 1.1);
  const dark = shade(skin, 0.7);
  path.reset(head);
  if (identity.noseStyle === "button") path.ellipse(x, y, 0.085 * size, 0.065 * size);
  else if (identity.noseStyle === "wide")
    path.stroke(
      [x - 0.12 * size, y - 0.01, x - 0.05 * size, y + 0.045, x + 0.05 * size, y + 0.045, x + 0.12 * size, y - 0.01],
      0.05,
    );
  else {
    const turn = state.yaw < 0 ? -1 : 1;
    path.stroke([x - turn * 0.02, y - 0.2 * size, x + turn * 0.07 * size, y + 0.01, x - turn * 0.03, y + 0.03], 0.045);
  }
  canvas.fill(path, identity.noseStyle === "button" ? shade(skin, 0.82) : dark, null);
}

/** The mouth's outline in its own patch: half width, height of the upper and lower edge over the corners' line. */
export interface MouthGeometry {
  readonly half: number;
  readonly up: number;
  readonly down: number;
  /** How far the middle hangs under the corners (a smile is positive). */
  readonly curve: number;
  /** Horizontal reach of the curve's handles, as a share of `half`. */
  readonly fullness: number;
}

/** How far the curve of the corners' line hangs in the middle of the mouth, as a share of `MouthGeometry.curve`. */
export const sag = 0.65;

/**
 * Area of the opening between the lips over its greatest for this person, 0–1.
 *
 * A cubic edge of height h over a chord from −half to half, with handles at ±fullness·half, holds half·h·(0.9 + 0.3·fullness)·4/3.
 */
export function mouthAperture(skeleton: Skeleton): number {
  const { half, up, down, fullness } = mouthGeometry(skeleton);
  const widest = 0.31 * skeleton.identity.mouthWidth * 1.02;
  return (half * (up + down) * (0.9 + 0.3 * fullness)) / (widest * mouthGape * (0.9 + 0.3 * restingFullness));
}

const restingFullness = 0.62;

/** Greatest height of the open mouth in head units. */
export const mouthGape = 0.46;

export function mouthGeometry(skeleton: Skeleton): MouthGeometry {
  const { mouth } = skeleton.state;
  const height = mouthGape * mouth.open;
  return {
    half: 0.31 * skeleton.identity.mouthWidth * (0.72 + 0.3 * mouth.width) * (1 - 0.42 * mouth.round),
    up: 0.3 * height,
    down: 0.7 * height,
    curve: 0.085 * mouth.smile * (1 - mouth.round),
    fullness: restingFullness + 0.2 * mouth.round,
  };
}

export function mouthMatrix(skeleton: Skeleton): Matrix {
  return compose(skeleton.feature(0, mouthHeight).matrix, place(0, jawDrop(skeleton.state.mouth.open) * 0.2));
}

export function drawMouth(brush: Brush, skeleton: Skeleton, skin: Rgb): void {
  const { canvas, path } = brush;
  const { identity, state } = skeleton;
  const { half, up, down, curve, fullness } = mouthGeometry(skeleton);
  const matrix = mouthMatrix(skeleton);
  const label = partLabel("mouth");
  // Redder than the skin but never bluer than green, so that lips do not count as an open mouth.
  const lip = mixRgb(mixRgb([0, 0, 0], skin, 0.68), [198, 100, 66], 0.3 + 0.4 * identity.lips);
  const line = mixRgb(shade(skin, 0.42), [96, 44, 34], 0.5);
  const opening = (): void => {
    path
      .reset(matrix)
      .moveTo(-half, -curve * 0.4)
      .cubicTo(-half * fullness, curve - up * 1.33, half * fullness, curve - up * 1.33, half, -curve * 0.4)
      .cubicTo(half * fullness, curve + down * 1.33, -half * fullness, curve + down * 1.33, -half, -curve * 0.4);
  };
  if (identity.lips > 0.26) {
    const full = 0.05 + 0.05 * identity.lips;
    path
      .reset(matrix)
      .moveTo(-half - 0.03, -curve * 0.4)
      .cubicTo(
        -half * 0.6,
        curve - up * 1.33 - full * 1.5,
        -half * 0.2,
        curve - up * 1.2 - full * 1.2,
        0,
        curve - up - full * 0.75,
      )
      .cubicTo(
        half * 0.2,
        curve - up * 1.2 - full * 1.2,
        half * 0.6,
        curve - up * 1.33 - full * 1.5,
        half + 0.03,
        -curve * 0.4,
      )
      .cubicTo(
        half * fullness,
        curve + down * 1.33 + full * 1.5,
        -half * fullness,
        curve + down * 1.33 + full * 1.5,
        -half - 0.03,
        -curve * 0.4,
      );
    canvas.fill(path, lip, label);
  }
  // A line that stays when the mouth is shut.
  const middle: number[] = [];
  for (let i = 0; i <= 10; i++) {
    const t = i / 10;
    const s = 1 - t;
    middle.push(half * (2 * t - 1), -curve * 0.4 * (s * s * s + t * t * t) + 3 * s * t * curve);
  }
  const shut = Math.max(0, 1 - state.mouth.open * 6);
  if (shut > 0) {
    path.reset(matrix).stroke(middle, [0.03, 0.05, 0.03]);
    canvas.fill(path, line, label, shut);
  }
  if (state.mouth.open <= 0) return;
  opening();
  canvas.fillOutlined(
    path,
    mouthInterior,
    identity.lips > 0.26 ? shade(lip, 0.8) : line,
    brush.line * 0.9 * Math.min(1, state.mouth.open * 6),
    label,
  );
  canvas.clip(path);
  const height = up + down;
  if (state.mouth.tongue > 0) {
    path.reset(matrix).ellipse(0, sag * curve + down + height * 0.12, half * 0.62, height * 0.42 * state.mouth.tongue);
    canvas.fill(path, tongueColour, null);
  }
  if (state.mouth.teeth > 0) {
    path
      .reset(matrix)
      .ellipse(0, sag * curve - up - height * 0.3, half * 1.1, height * (0.3 + 0.22 * state.mouth.teeth));
    canvas.fill(path, teethColour, null);
  }
  canvas.unclip();
}

export function drawGlasses(brush: Brush, skeleton: Skeleton): void {
  const { identity, head, project } = skeleton;
  const { canvas, path } = brush;
  if (identity.glasses === "none") return;
  const frame =
    identity.hatColour === "white" || identity.hatColour === "yellow"
      ? clothColours.black
      : shade(clothColours[identity.hatColour], 0.7);
  const { rx, ry } = eyeSize(skeleton);
  const w = Math.min(identity.eyeGap - 0.05, rx + 0.11);
  const h = Math.min(0.29, ry + 0.09);
  for (const side of [-1, 1] as const) {
    const { matrix } = skeleton.feature(side * identity.eyeGap, eyeHeight);
    const rounding = identity.glasses === "round" ? 2 : 4.5;
    const ring = (rw: number, rh: number): Point[] =>
      Array.from({ length: 32 }, (_, i): Point => {
        const t = (2 * Math.PI * i) / 32;
        const [c, s] = [Math.cos(t), Math.sin(t)];
        return [
          rw * Math.sign(c) * Math.pow(Math.abs(c), 2 / rounding),
          rh * Math.sign(s) * Math.pow(Math.abs(s), 2 / rounding),
        ];
      });
    path.reset(matrix).polygon(ring(w, h));
    canvas.fill(path, [255, 255, 255], null, 0.12);
    path.polygon(ring(w - 0.055, h - 0.055).reverse());
    canvas.fill(path, frame, null);
    const from = apply(matrix, side * w, -0.03);
    const [ex, ey] = project(side * 0.93, 0.04);
    const to = apply(head, ex, ey);
    path
      .reset({ a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 })
      .stroke([...from, ...to], Math.max(0.7, 0.045 * skeleton.view.scale));
    canvas.fill(path, frame, null);
  }
  const inner = identity.eyeGap - w;
  const [x0, y0] = project(-inner, eyeHeight - 0.04);
  const [xm, ym] = project(0, eyeHeight - 0.08);
  const [x1, y1] = project(inner, eyeHeight - 0.04);
  path.reset(head).stroke([x0, y0, xm, ym, x1, y1], 0.05);
  canvas.fill(path, frame, null);
}
