import type { Identity } from "../identity.ts";
import { apply, compose, place } from "../raster/matrix.ts";
import type { Matrix } from "../raster/matrix.ts";
import type { ArmState, FigureState } from "./state.ts";
import { viewMatrix } from "./view.ts";
import type { View } from "./view.ts";

export type Point = readonly [x: number, y: number];

/** A patch of the head's surface: its place and foreshortening, as a map from patch to pixels. */
export interface Feature {
  readonly matrix: Matrix;
  /** The patch's centre in the head's own plane. */
  readonly at: Point;
}

export interface Arm {
  /** +1 for the person's left (on the right of the picture), −1 for the right. */
  readonly side: 1 | -1;
  readonly shoulder: Point;
  readonly elbow: Point;
  readonly wrist: Point;
  /** Hand coordinates (x along the fingers, thumb at negative y) to the scene. */
  readonly hand: Matrix;
  readonly state: ArmState;
}

/** Where every part is: joints in scene coordinates, maps to pixels. Drawing and keypoints both start from here. */
export interface Skeleton {
  readonly identity: Identity;
  readonly state: FigureState;
  readonly view: View;
  /** Upright scene coordinates to pixels. */
  readonly scene: Matrix;
  /** Torso coordinates (leaning) to pixels. */
  readonly torso: Matrix;
  /** The head's plane (origin at its centre, chin at y = 1) to pixels. */
  readonly head: Matrix;
  readonly left: Arm;
  readonly right: Arm;
  /** Lift a point of the frontal face onto the turned head. `lift` above 1 stands off the surface. */
  readonly project: (x: number, y: number, lift?: number) => Point;
  /** The patch of the face around a point. */
  readonly feature: (x: number, y: number) => Feature;
}

export const hipHeight = 1.45;
export const upperArm = 0.76;
export const forearm = 0.7;
const neckLength = 0.1;
const headCentre = -0.95;

export function buildSkeleton(identity: Identity, state: FigureState, view: View): Skeleton {
  const scene = viewMatrix(view);
  const leaning = compose(place(state.sway, hipHeight + state.bob, state.lean), place(0, -hipHeight));
  const torso = compose(scene, leaning);
  const neck = apply(leaning, 0, -neckLength);
  const headInScene = compose(
    place(neck[0], neck[1], state.lean + state.roll, identity.headScale),
    place(0, headCentre),
  );
  const head = compose(scene, headInScene);
  const cosYaw = Math.cos(state.yaw);
  const sinYaw = Math.sin(state.yaw);
  const cosPitch = Math.cos(state.pitch);
  const sinPitch = Math.sin(state.pitch);
  const project = (x: number, y: number, lift = 1): Point => {
    const u = x / 1.02;
    const v = y / 1.12;
    const z = 0.92 * lift * Math.sqrt(Math.max(0.03, 1 - u * u - v * v));
    const depth = z * cosYaw - x * sinYaw;
    return [x * cosYaw + z * sinYaw, y * cosPitch + depth * sinPitch];
  };
  const feature = (x: number, y: number): Feature => {
    const at = project(x, y);
    const step = 0.04;
    const [right] = project(x + step, y);
    const [left] = project(x - step, y);
    const [, below] = project(x, y + step);
    const [, above] = project(x, y - step);
    const sx = Math.max(0.3, Math.min(1.15, (right - left) / (2 * step)));
    const sy = Math.max(0.4, Math.min(1.15, (below - above) / (2 * step)));
    return { at, matrix: compose(head, place(at[0], at[1], 0, sx, sy)) };
  };
  return {
    identity,
    state,
    view,
    scene,
    torso,
    head,
    left: buildArm(1, state.leftArm, identity, leaning),
    right: buildArm(-1, state.rightArm, identity, leaning),
    project,
    feature,
  };
}

/** Two-bone inverse kinematics; the elbow points away from the body. */
function buildArm(side: 1 | -1, state: ArmState, identity: Identity, leaning: Matrix): Arm {
  const shoulder: Point = [side * identity.shoulder, 0.28];
  const dx = side * state.x - shoulder[0];
  const dy = state.y - shoulder[1];
  const reach = Math.min(upperArm + forearm - 0.02, Math.max(0.3, Math.hypot(dx, dy)));
  const direction = Math.atan2(dy, dx);
  const bend = Math.acos((upperArm * upperArm + reach * reach - forearm * forearm) / (2 * upperArm * reach));
  const wrist: Point = [shoulder[0] + reach * Math.cos(direction), shoulder[1] + reach * Math.sin(direction)];
  const candidates = [direction + bend, direction - bend].map((angle): Point => [
    shoulder[0] + upperArm * Math.cos(angle),
    shoulder[1] + upperArm * Math.sin(angle),
  ]);
  // Rather down than up, and away from the body.
  const elbow = candidates.reduce((best, at) =>
    0.45 * side * at[0] + at[1] > 0.45 * side * best[0] + best[1] ? at : best,
  );
  const angle = side > 0 ? state.angle : Math.PI - state.angle;
  const hand = compose(leaning, place(wrist[0], wrist[1], angle, 1, side));
  return {
    side,
    shoulder: apply(leaning, ...shoulder),
    elbow: apply(leaning, ...elbow),
    wrist: apply(leaning, ...wrist),
    hand,
    state,
  };
}

/** Centre of the palm in hand coordinates. */
export const palm: Point = [0.15, 0];

/** The tips of the five fingers (thumb first) in hand coordinates. */
export function fingertips(state: ArmState): readonly [Point, Point, Point, Point, Point] {
  const { angles, lengths } = state.hand;
  const tip = (angle: number, length: number): Point => [
    palm[0] + length * Math.cos(angle),
    palm[1] + length * Math.sin(angle),
  ];
  return [
    tip(angles[0], lengths[0]),
    tip(angles[1], lengths[1]),
    tip(angles[2], lengths[2]),
    tip(angles[3], lengths[3]),
    tip(angles[4], lengths[4]),
  ];
}

/** How far the chin drops for a mouth opening, in head units. */
export function jawDrop(open: number): number {
  return 0.1 * open;
}
