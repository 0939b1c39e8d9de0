import { hairColours, skinTones } from "../palette.ts";
import { mixRgb, shade } from "../raster/paint.ts";
import type { Rgb } from "../raster/paint.ts";
import { ink, partLabel } from "./brush.ts";
import type { Brush } from "./brush.ts";
import type { Point, Skeleton } from "./skeleton.ts";

/** Hair behind the face and, where long, behind the body. Drawn first. */
export function drawBackHair(brush: Brush, skeleton: Skeleton): void {
  const { identity, head, state } = skeleton;
  const { path } = brush;
  const colour = hairColours[identity.hairColour];
  const back = shade(colour, 0.82);
  const w = identity.faceWidth;
  // What hangs behind turns against the face, and trails the head's roll.
  const x = -0.18 * Math.sin(state.yaw);
  const hang = -0.5 * state.roll;
  const v = identity.hairVolume;
  path.reset(head);
  switch (identity.hairStyle) {
    case "bob":
      path.smooth([
        [x, -1.08 - v],
        [x + 0.55 * w, -0.92 - v],
        [x + w + v, -0.5],
        [x + w + v + 0.1, 0.3],
        [x + w + 0.08 + hang, 0.92],
        [x + 0.3 + hang, 1],
        [x - 0.3 + hang, 1],
        [x - w - 0.08 + hang, 0.92],
        [x - w - v - 0.1, 0.3],
        [x - w - v, -0.5],
        [x - 0.55 * w, -0.92 - v],
      ]);
      return ink(brush, back, back, "hair");
    case "long":
      path.smooth([
        [x, -1.08 - v],
        [x + 0.55 * w, -0.92 - v],
        [x + w + v, -0.4],
        [x + w + v, 0.6],
        [x + w + 0.14 + hang, 1.5],
        [x + w - 0.2 + 1.4 * hang, 2.05],
        [x + 1.4 * hang, 1.9],
        [x - w + 0.2 + 1.4 * hang, 2.05],
        [x - w - 0.14 + hang, 1.5],
        [x - w - v, 0.6],
        [x - w - v, -0.4],
        [x - 0.55 * w, -0.92 - v],
      ]);
      return ink(brush, back, back, "hair");
    case "wavy":
      path.smooth([
        [x, -1.1 - v],
        [x + 0.55 * w, -0.92 - v],
        [x + w + v, -0.5],
        [x + w + 0.02, 0.1],
        [x + w + 0.28, 0.6],
        [x + w + 0.08 + hang, 1.05],
        [x + w + 0.26 + hang, 1.5],
        [x + 0.5 + hang, 1.72],
        [x - 0.5 + hang, 1.72],
        [x - w - 0.26 + hang, 1.5],
        [x - w - 0.08 + hang, 1.05],
        [x - w - 0.28, 0.6],
        [x - w - 0.02, 0.1],
        [x - w - v, -0.5],
        [x - 0.55 * w, -0.92 - v],
      ]);
      return ink(brush, back, back, "hair");
    case "ponytail": {
      const s = state.yaw > 0 ? -1 : 1;
      path.smooth([
        [x + s * 0.5, -0.9],
        [x + s * 1.25, -0.75],
        [x + s * 1.42 + hang, 0.1],
        [x + s * 1.25 + 1.5 * hang, 0.85],
        [x + s * 1.05 + 1.2 * hang, 0.5],
        [x + s * 0.98 + hang, -0.1],
      ]);
      return ink(brush, back, back, "hair");
    }
    case "pigtails":
      for (const s of [-1, 1])
        path.smooth([
          [x + s * 0.85, -0.35],
          [x + s * 1.3, -0.3],
          [x + s * 1.45 + hang, 0.35],
          [x + s * 1.22 + 1.3 * hang, 0.95],
          [x + s * 1.05 + hang, 0.4],
        ]);
      return ink(brush, back, back, "hair");
    case "bun":
      path.ellipse(x * 1.2, -1.22, 0.4, 0.36);
      ink(brush, colour, colour, "hair");
      return;
    case "curly":
      for (let i = 0; i < 13; i++) {
        const t = Math.PI * (0.92 + (1.16 * i) / 12);
        path.ellipse(x + (w + 0.1) * Math.cos(t), -0.1 + (1 + v) * Math.sin(t) * 0.98, 0.3 + v * 0.5);
      }
      path.ellipse(x, -0.2, w + 0.06, 0.95);
      return ink(brush, back, back, "hair");
    default:
  }
}

/** Height (over the skull) and hairline (frontal face coordinates, from the left ear to the right) of the styles. */
interface Cap {
  readonly top: number;
  readonly side: number;
  readonly hairline: readonly (readonly [number, number])[];
  readonly spikes: number;
}

const fringe = [
  [-0.96, 0.25],
  [-0.86, -0.1],
  [-0.74, -0.36],
  [-0.5, -0.3],
  [-0.25, -0.38],
  [0, -0.31],
  [0.25, -0.38],
  [0.5, -0.3],
  [0.74, -0.36],
  [0.86, -0.1],
  [0.96, 0.25],
] as const;
const swept = [
  [-0.96, 0.15],
  [-0.84, -0.16],
  [-0.66, -0.44],
  [-0.5, -0.62],
  [-0.2, -0.5],
  [0.2, -0.38],
  [0.6, -0.26],
  [0.86, -0.04],
  [0.96, 0.2],
] as const;
const middle = [
  [-0.97, 0.3],
  [-0.88, -0.02],
  [-0.7, -0.3],
  [-0.4, -0.5],
  [0, -0.76],
  [0.4, -0.5],
  [0.7, -0.3],
  [0.88, -0.02],
  [0.97, 0.3],
] as const;
const cropped = [
  [-0.96, 0.06],
  [-0.84, -0.3],
  [-0.56, -0.52],
  [-0.28, -0.46],
  [0, -0.5],
  [0.28, -0.46],
  [0.56, -0.52],
  [0.84, -0.3],
  [0.96, 0.06],
] as const;
const pulled = [
  [-0.96, -0.02],
  [-0.8, -0.36],
  [-0.45, -0.58],
  [0, -0.64],
  [0.45, -0.58],
  [0.8, -0.36],
  [0.96, -0.02],
] as const;
const zigzag = [
  [-0.96, 0.1],
  [-0.8, -0.3],
  [-0.64, -0.2],
  [-0.5, -0.46],
  [-0.3, -0.26],
  [-0.14, -0.5],
  [0.06, -0.28],
  [0.22, -0.5],
  [0.42, -0.26],
  [0.58, -0.44],
  [0.72, -0.22],
  [0.84, -0.32],
  [0.96, 0.1],
] as const;

const caps: Partial<Record<string, Cap>> = {
  buzzed: { top: 0.04, side: 0.02, hairline: cropped, spikes: 0 },
  short: { top: 0.16, side: 0.05, hairline: cropped, spikes: 0 },
  spiky: { top: 0.14, side: 0.04, hairline: zigzag, spikes: 0.2 },
  parted: { top: 0.16, side: 0.06, hairline: swept, spikes: 0 },
  bob: { top: 0.13, side: 0.1, hairline: fringe, spikes: 0 },
  long: { top: 0.13, side: 0.09, hairline: middle, spikes: 0 },
  wavy: { top: 0.15, side: 0.1, hairline: swept, spikes: 0 },
  ponytail: { top: 0.1, side: 0.05, hairline: swept, spikes: 0 },
  pigtails: { top: 0.1, side: 0.06, hairline: fringe, spikes: 0 },
  bun: { top: 0.09, side: 0.04, hairline: pulled, spikes: 0 },
  curly: { top: 0.14, side: 0.06, hairline: cropped, spikes: 0 },
};

/** Hair on the skull: between the skull's grown outline and the hairline, which turns with the face. */
export function drawFrontHair(brush: Brush, skeleton: Skeleton): void {
  const { identity, head, state, project } = skeleton;
  const { canvas, path } = brush;
  const skin = skinTones[identity.skin];
  const own = hairColours[identity.hairColour];
  if (identity.hairStyle === "mohawk") {
    const x = 0.55 * Math.sin(state.yaw);
    path.reset(head).smooth([
      [x - 0.2, -0.55],
      [x - 0.3, -1.05],
      [x - 0.2, -1.42],
      [x + 0.05, -1.5],
      [x + 0.3, -1.38],
      [x + 0.3, -1],
      [x + 0.18, -0.55],
    ]);
    return ink(brush, own, own, "hair");
  }
  const cap = caps[identity.hairStyle];
  if (cap === undefined) return;
  const colour: Rgb = identity.hairStyle === "buzzed" ? mixRgb(skin, own, 0.72) : own;
  const grow = identity.hairStyle === "buzzed" ? 0 : identity.hairVolume - 0.12;
  const x = -0.06 * Math.sin(state.yaw);
  const hairline = cap.hairline.map(([u, v]) => project(u * identity.faceWidth, v));
  const [firstX, firstY] = hairline[0] ?? [0, 0];
  const [lastX, lastY] = hairline.at(-1) ?? [0, 0];
  const rx = identity.faceWidth + cap.side + grow * 0.5;
  const ry = 1 + cap.top + grow;
  // The outer arc starts beside the hairline's ends and passes over the top.
  const outer: Point[] = [];
  const steps = cap.spikes > 0 ? 22 : 28;
  for (let i = 0; i <= steps; i++) {
    const t = Math.PI * (i / steps);
    const spike = cap.spikes > 0 && i > 2 && i < steps - 2 && i % 2 === 0 ? 1 + cap.spikes * Math.sin(t) : 1;
    const start = Math.max(firstY, lastY);
    const height =
      -ry * Math.sin(t) * spike + (1 - Math.sin(t)) * (i < steps / 2 ? firstY : lastY) * (start > 0 ? 1 : 1);
    outer.push([x - rx * Math.cos(t) * (1 + (spike - 1) * 0.6), height]);
  }
  path.reset(head);
  path.moveTo(firstX - 0.02, firstY);
  for (const [px, py] of outer) path.lineTo(px, py);
  path.lineTo(lastX + 0.02, lastY);
  for (let i = hairline.length - 2; i > 0; i--) {
    const [cx, cy] = hairline[i] ?? [0, 0];
    const [nx, ny] = hairline[i - 1] ?? [0, 0];
    if (cap.spikes > 0) path.lineTo(cx, cy);
    else path.quadTo(cx, cy, (cx + nx) / 2, (cy + ny) / 2);
  }
  ink(brush, colour, colour, "hair");
  if (identity.hairStyle === "curly") {
    path.reset(head);
    for (let i = 0; i < 9; i++) {
      const [px, py] = project(-0.8 + 0.2 * i, -0.62 - 0.16 * Math.sin((Math.PI * i) / 8));
      path.ellipse(px, py, 0.2 + 0.03 * (i % 2));
    }
    ink(brush, colour, colour, "hair", 0.5);
    path.reset(head);
    for (let i = 0; i < 7; i++) path.ellipse(x - 0.66 + 0.22 * i, -1.02 - 0.14 * Math.sin((Math.PI * i) / 6), 0.22);
    canvas.fill(path, colour, partLabel("hair"));
  }
  if (identity.hairStyle === "buzzed") return;
  const shine: number[] = [];
  for (let i = 0; i <= 8; i++) {
    const t = Math.PI * (1.2 + (0.35 * i) / 8);
    shine.push(x + 0.25 * Math.sin(state.yaw) + rx * 0.74 * Math.cos(t), ry * 0.82 * Math.sin(t));
  }
  path.reset(head).stroke(shine, [0.03, 0.1, 0.03]);
  canvas.fill(path, mixRgb(colour, [255, 255, 255], 0.45), null, 0.6);
}
