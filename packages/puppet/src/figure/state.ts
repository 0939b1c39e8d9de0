/** A hand as five fingers (thumb first): direction away from the hand's own direction (radians), length (head units). */
export interface HandShape {
  readonly angles: readonly [number, number, number, number, number];
  readonly lengths: readonly [number, number, number, number, number];
}

export const handShapes = {
  relaxed: { angles: [-0.9, -0.35, -0.1, 0.15, 0.4], lengths: [0.17, 0.24, 0.26, 0.25, 0.21] },
  open: { angles: [-1.25, -0.5, -0.14, 0.22, 0.6], lengths: [0.22, 0.3, 0.33, 0.3, 0.25] },
  fist: { angles: [-0.9, -0.4, -0.12, 0.15, 0.42], lengths: [0.13, 0.15, 0.16, 0.15, 0.13] },
  point: { angles: [-0.9, -0.08, 0.1, 0.25, 0.45], lengths: [0.14, 0.36, 0.15, 0.14, 0.13] },
  victory: { angles: [-0.8, -0.32, 0.2, 0.3, 0.45], lengths: [0.13, 0.36, 0.36, 0.14, 0.13] },
  thumb: { angles: [-1.45, -0.4, -0.12, 0.15, 0.42], lengths: [0.32, 0.15, 0.16, 0.15, 0.13] },
} as const satisfies Record<string, HandShape>;

/** Where a hand is. Lengths in head units, from the neck's base in the upright torso; x grows away from the body. */
export interface ArmState {
  readonly x: number;
  readonly y: number;
  /** Direction of the hand: 0 outwards, π/2 down, −π/2 up, π inwards. */
  readonly angle: number;
  readonly hand: HandShape;
}

/** Shape of the mouth. `open`, `width`, `round`, `teeth`, `tongue` in 0–1, `smile` in −1–1. */
export interface MouthState {
  readonly open: number;
  readonly width: number;
  readonly round: number;
  readonly teeth: number;
  readonly tongue: number;
  readonly smile: number;
}

/** Everything that moves, at one moment. Angles in radians, lengths in head units. "Left" is the person's own left. */
export interface FigureState {
  readonly sway: number;
  readonly bob: number;
  readonly lean: number;
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Eyelids: 0 closed, 1 open. */
  readonly leftEye: number;
  readonly rightEye: number;
  readonly gazeX: number;
  readonly gazeY: number;
  readonly browRaise: number;
  readonly mouth: MouthState;
  readonly leftArm: ArmState;
  readonly rightArm: ArmState;
}

export const closedMouth: MouthState = { open: 0, width: 0.5, round: 0, teeth: 0, tongue: 0, smile: 0.2 };

const restingArm: ArmState = { x: 0.8, y: 1.46, angle: 1.45, hand: handShapes.relaxed };

/** Upright, looking ahead, mouth closed, arms down. */
export const restingState: FigureState = {
  sway: 0,
  bob: 0,
  lean: 0,
  yaw: 0,
  pitch: 0,
  roll: 0,
  leftEye: 1,
  rightEye: 1,
  gazeX: 0,
  gazeY: 0,
  browRaise: 0,
  mouth: closedMouth,
  leftArm: restingArm,
  rightArm: restingArm,
};
