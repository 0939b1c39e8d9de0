import { handShapes } from "./state.ts";
import type { ArmState, HandShape } from "./state.ts";

/** Arms of a gesture; `wave` swings the hand, `beat` is how far stressed syllables move it. */
export interface Gesture {
  /** As captions say it. */
  readonly verb: string;
  readonly left: ArmState;
  readonly right: ArmState;
  readonly wave: number;
  readonly beat: number;
}

/** The same hand turned over: the thumb on the other side. */
function mirrored(hand: HandShape): HandShape {
  const [thumb, index, middle, ring, pinky] = hand.angles;
  return { angles: [-thumb, -index, -middle, -ring, -pinky], lengths: hand.lengths };
}

const down: ArmState = { x: 0.8, y: 1.46, angle: 1.45, hand: handShapes.relaxed };
const front: ArmState = { x: 0.62, y: 0.92, angle: -2.1, hand: handShapes.relaxed };
const wide: ArmState = { x: 1.16, y: 0.86, angle: -0.75, hand: handShapes.open };
const raised: ArmState = { x: 1.42, y: -0.2, angle: -1.5, hand: handShapes.open };
const pointing: ArmState = { x: 1.14, y: 0.12, angle: -1.5, hand: handShapes.point };
const hip: ArmState = { x: 0.7, y: 1.2, angle: 2.7, hand: mirrored(handShapes.fist) };
const chest: ArmState = { x: 0.42, y: 0.62, angle: 2.9, hand: mirrored(handShapes.open) };
const thumb: ArmState = { x: 0.86, y: 0.42, angle: 3.1, hand: mirrored(handShapes.thumb) };
const victory: ArmState = { x: 1.12, y: 0.14, angle: -1.5, hand: handShapes.victory };
const palmUp: ArmState = { x: 0.98, y: 0.72, angle: -0.9, hand: handShapes.open };

export const gestures = {
  still: { verb: "stands still", left: down, right: down, wave: 0, beat: 0.25 },
  explain: { verb: "talks with both hands", left: front, right: front, wave: 0, beat: 1 },
  oneHand: { verb: "talks with one hand", left: palmUp, right: down, wave: 0, beat: 1 },
  shrug: { verb: "spreads both arms", left: wide, right: wide, wave: 0, beat: 0.8 },
  wave: { verb: "waves", left: raised, right: down, wave: 1, beat: 0.2 },
  point: { verb: "points up", left: pointing, right: down, wave: 0, beat: 0.7 },
  hips: { verb: "stands with hands on hips", left: hip, right: hip, wave: 0, beat: 0 },
  heart: { verb: "puts a hand on the chest", left: chest, right: down, wave: 0, beat: 0.35 },
  thumbsUp: { verb: "gives a thumbs up", left: thumb, right: down, wave: 0, beat: 0.4 },
  victory: { verb: "makes a victory sign", left: victory, right: hip, wave: 0, beat: 0.3 },
} as const satisfies Record<string, Gesture>;

export type GestureName = keyof typeof gestures;

/** Between two arm states. */
export function blendArms(a: ArmState, b: ArmState, t: number): ArmState {
  if (t <= 0) return a;
  if (t >= 1) return b;
  const mix = (p: number, q: number): number => p + (q - p) * t;
  const five = (p: HandShape["angles"], q: HandShape["angles"]): HandShape["angles"] => [
    mix(p[0], q[0]),
    mix(p[1], q[1]),
    mix(p[2], q[2]),
    mix(p[3], q[3]),
    mix(p[4], q[4]),
  ];
  return {
    x: mix(a.x, b.x),
    y: mix(a.y, b.y),
    angle: mix(a.angle, b.angle),
    hand: { angles: five(a.hand.angles, b.hand.angles), lengths: five(a.hand.lengths, b.hand.lengths) },
  };
}
