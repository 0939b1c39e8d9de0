import { blendArms, gestures } from "./figure/gestures.ts";
import type { Gesture, GestureName } from "./figure/gestures.ts";
import type { ArmState, FigureState } from "./figure/state.ts";
import type { Framing } from "./figure/view.ts";
import type { Identity } from "./identity.ts";
import { hash, Random, smoothNoise } from "./random.ts";
import { beatsBetween, curveAt, isSpeaking } from "./speech/track.ts";
import type { SpeechTrack } from "./speech/track.ts";

/** How one performance moves; a pure function of time, so that any frame can be drawn on its own. */
export interface Motion {
  readonly seed: number;
  readonly identity: Identity;
  readonly track: SpeechTrack;
  /** The gesture that the clip is about, and how it alternates in longer ones. */
  readonly gesture: GestureName;
  readonly mirrored: boolean;
}

const gestureSpan = 3.2;
const gestureEase = 0.5;

export function drawMotion(seed: number, identity: Identity, track: SpeechTrack, framing: Framing): Motion {
  const random = new Random(seed).fork("motion");
  const gesture =
    framing === "portrait"
      ? random.weighted([
          ["still", 7],
          ["wave", 1],
          ["point", 1],
          ["victory", 0.6],
          ["explain", 2],
        ] as const)
      : random.weighted([
          ["still", 2],
          ["explain", 4],
          ["oneHand", 3],
          ["shrug", 2],
          ["wave", 2.5],
          ["point", 2],
          ["hips", 1.2],
          ["heart", 1.5],
          ["thumbsUp", 1.5],
          ["victory", 1.2],
        ] as const);
  return { seed, identity, track, gesture, mirrored: random.chance(0.5) };
}

/** State of the whole figure at a time in seconds. */
export function stateAt(motion: Motion, time: number): FigureState {
  const { seed, identity, track } = motion;
  const life = identity.liveliness;
  const noise = (label: string, rate: number): number => smoothNoise(hash(seed, label), time * rate);
  const pulse = beatPulse(track, time);
  const openEye = lidsAt(seed, time);
  const speaking = isSpeaking(track, time) ? 1 : 0.4;
  const smile = Math.max(-0.4, Math.min(1, 0.35 + 0.5 * noise("smile", 0.3)));
  const { left, right } = armsAt(motion, time, pulse);
  return {
    sway: 0.035 * life * noise("sway", 0.4),
    bob: 0.02 * life * noise("bob", 0.9) - 0.012 * pulse,
    lean: 0.03 * life * noise("lean", 0.35),
    yaw: 0.1 * smoothNoise(hash(seed, "facing"), 0.5) + 0.24 * life * noise("yaw", 0.55),
    pitch: 0.09 * life * noise("pitch", 0.7) + 0.09 * life * pulse * speaking,
    roll: 0.08 * life * noise("roll", 0.5),
    leftEye: openEye,
    rightEye: openEye,
    gazeX: 0.5 * step(seed, "gaze x", time, 0.9),
    gazeY: 0.35 * step(seed, "gaze y", time, 0.9),
    browRaise: Math.max(-0.3, 0.3 * noise("brows", 0.6) + 0.8 * pulse),
    mouth: {
      open: Math.min(1, curveAt(track, "open", time, 0) * identity.articulation),
      width: curveAt(track, "width", time, 0.5),
      round: curveAt(track, "round", time, 0),
      teeth: curveAt(track, "teeth", time, 0),
      tongue: curveAt(track, "tongue", time, 0),
      smile,
    },
    leftArm: left,
    rightArm: right,
  };
}

/** How strongly stressed syllables move the body now: up within 0.12 s before a stress, away within 0.4 s after it. */
function beatPulse(track: SpeechTrack, time: number): number {
  let sum = 0;
  for (const { at, strength } of beatsBetween(track, time - 0.6, time + 0.15)) {
    const since = time - at;
    sum = Math.max(sum, strength * (since < 0 ? Math.exp(-((since / 0.07) ** 2)) : Math.exp(-((since / 0.22) ** 2))));
  }
  return sum;
}

/** Eyelids: a blink of 0.24 s in every cell of three seconds. */
function lidsAt(seed: number, time: number): number {
  const cell = Math.floor(time / 3);
  let open = 1;
  for (const c of [cell - 1, cell, cell + 1]) {
    const at = 3 * c + 3 * (hash(seed, `blink ${c}`) / 4294967296);
    const from = Math.abs(time - at) / 0.12;
    if (from < 1) open = Math.min(open, Math.max(0, 1.6 * from - 0.6));
  }
  return open;
}

/** A value that jumps (in 0.08 s) to a new place about every 1/rate seconds, as eyes do. */
function step(seed: number, label: string, time: number, rate: number): number {
  const position = time * rate;
  const cell = Math.floor(position);
  const value = (c: number): number => hash(seed, `${label} ${c}`) / 2147483648 - 1;
  const t = Math.min(1, (position - cell) / (0.08 * rate));
  return value(cell - 1) + (value(cell) - value(cell - 1)) * t;
}

/** The gesture of a span of time: the clip's own first, then its own or another by turns. */
function gestureOf(motion: Motion, index: number): Gesture {
  if (index <= 0 || hash(motion.seed, `again ${index}`) % 2 === 0) return gestures[motion.gesture];
  const random = new Random(hash(motion.seed, `gesture ${index}`));
  return gestures[
    random.weighted([
      ["explain", 4],
      ["oneHand", 3],
      ["still", 3],
      ["shrug", 1],
    ] as const)
  ];
}

function armsAt(motion: Motion, time: number, pulse: number): { left: ArmState; right: ArmState } {
  const { seed } = motion;
  const index = Math.floor(time / gestureSpan);
  const into = time - index * gestureSpan;
  const before = gestureOf(motion, index - 1);
  const now = gestureOf(motion, index);
  const t = Math.min(1, into / gestureEase);
  const eased = t * t * (3 - 2 * t);
  const side = (label: "left" | "right"): ArmState => {
    const other = label === "left" ? "right" : "left";
    const own = motion.mirrored ? other : label;
    const arm = blendArms(before[own], now[own], eased);
    const wave = (before.wave + (now.wave - before.wave) * eased) * (own === "left" ? 1 : 0);
    const beat = before.beat + (now.beat - before.beat) * eased;
    const swing = Math.sin(2 * Math.PI * 1.7 * time);
    const lift = beat * pulse * (0.75 + 0.35 * smoothNoise(hash(seed, `lift ${label}`), time));
    return {
      x: arm.x + 0.1 * wave * swing + 0.06 * lift + 0.05 * smoothNoise(hash(seed, `hand x ${label}`), time * 0.8),
      y: arm.y - 0.2 * lift + 0.05 * smoothNoise(hash(seed, `hand y ${label}`), time * 0.8),
      angle: arm.angle + 0.45 * wave * swing - 0.25 * lift,
      hand: arm.hand,
    };
  };
  return { left: side("left"), right: side("right") };
}
