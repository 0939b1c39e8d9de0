import { coco17 } from "./body.ts";
import type { KeypointSchema } from "./body.ts";

type Side = "left" | "right";
type Edge = readonly [number, number];

/** Fingers from the thumb on; each has four points from root to tip, as in MediaPipe, OpenPose and COCO-WholeBody. */
const FINGERS = ["thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger"] as const;

/** A hand's 21 points: its root at the wrist, then the fingers. */
function handNames(side: Side): string[] {
  return [
    `${side}_hand_root`,
    ...FINGERS.flatMap((finger) => [1, 2, 3, 4].map((joint) => `${side}_${finger}${joint}`)),
  ];
}

/** From the root along each finger. */
function handEdges(start: number): Edge[] {
  return FINGERS.flatMap((_, finger) =>
    [1, 2, 3, 4].map((joint): Edge => {
      const tip = start + 4 * finger + joint;
      return [joint === 1 ? start : tip - 1, tip];
    }),
  );
}

const span = (start: number, count: number): number[] => Array.from({ length: count }, (_, i) => start + i);

/** Chains of neighbouring points. */
const chain = (points: readonly number[]): Edge[] => points.slice(1).map((to, i): Edge => [points[i] ?? to, to]);

/** The 68 points of a face: jaw, brows, nose, eyes and lips, of which the last three are closed curves or lines. */
function faceEdges(start: number): Edge[] {
  const lines = [span(0, 17), span(17, 5), span(22, 5), span(27, 4), span(31, 5)];
  const rings = [span(36, 6), span(42, 6), span(48, 12), span(60, 8)].map((ring) => [...ring, ring[0] ?? 0]);
  return [...lines, ...rings].flatMap((line) => chain(line.map((k) => start + k)));
}

const hands = (start: number): Record<string, readonly number[]> => ({
  left_hand: span(start, 21),
  right_hand: span(start + 21, 21),
});

/** Body and hands as `MoveNetEstimator` finds them: COCO's 17 points, then 21 a hand. */
export const bodyAndHands59 = {
  name: "body-hands-59",
  keypoints: [...coco17.keypoints, ...handNames("left"), ...handNames("right")],
  edges: [...coco17.edges, ...handEdges(17), ...handEdges(38)],
  groups: { ...coco17.groups, ...hands(17) },
} satisfies KeypointSchema;

/**
 * COCO-WholeBody's 133 points: COCO's 17, six of the feet, 68 of the face, 21 a hand.
 *
 * @see Jin et al. 2020, "Whole-Body Human Pose Estimation in the Wild"
 */
export const cocoWholeBody133 = {
  name: "coco-wholebody-133",
  keypoints: [
    ...coco17.keypoints,
    ...(["left", "right"] as const).flatMap((side) => [`${side}_big_toe`, `${side}_small_toe`, `${side}_heel`]),
    ...span(0, 68).map((k) => `face_${k}`),
    ...handNames("left"),
    ...handNames("right"),
  ],
  edges: [
    ...coco17.edges,
    ...([15, 15, 15, 16, 16, 16] as const).map((ankle, i): Edge => [ankle, 17 + i]),
    ...faceEdges(23),
    ...handEdges(91),
    ...handEdges(112),
  ],
  groups: { ...coco17.groups, feet: span(17, 6), face: span(23, 68), ...hands(91) },
} satisfies KeypointSchema;

/** OpenPose's body of 25 points. @see https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md */
export const openPose25Body = [
  "nose",
  "neck",
  "right_shoulder",
  "right_elbow",
  "right_wrist",
  "left_shoulder",
  "left_elbow",
  "left_wrist",
  "mid_hip",
  "right_hip",
  "right_knee",
  "right_ankle",
  "left_hip",
  "left_knee",
  "left_ankle",
  "right_eye",
  "left_eye",
  "right_ear",
  "left_ear",
  "left_big_toe",
  "left_small_toe",
  "left_heel",
  "right_big_toe",
  "right_small_toe",
  "right_heel",
] as const;

/** OpenPose's older body of 18 points, which ControlNet and DWPose write. */
export const openPose18Body = openPose25Body.slice(0, 19).filter((name) => name !== "mid_hip");

/** OpenPose's faces: the 68 points, then the pupils. */
export const openPoseFace = [...span(0, 68).map((k) => `face_${k}`), "right_pupil", "left_pupil"];

/** OpenPose's points: 25 of the body, 70 of the face, 21 a hand. */
export const openPose137 = {
  name: "openpose-137",
  keypoints: [...openPose25Body, ...openPoseFace, ...handNames("left"), ...handNames("right")],
  edges: [
    ...chain([0, 1, 2, 3, 4]),
    ...chain([1, 5, 6, 7]),
    ...chain([1, 8, 9, 10, 11, 22, 23]),
    ...chain([8, 12, 13, 14, 19, 20]),
    ...chain([0, 15, 17]),
    ...chain([0, 16, 18]),
    [11, 24],
    [14, 21],
    ...faceEdges(25),
    ...handEdges(95),
    ...handEdges(116),
  ],
  groups: {
    head: [0, 15, 16, 17, 18],
    arms: [2, 3, 4, 5, 6, 7],
    legs: span(8, 7),
    hands: [4, 7],
    feet: span(19, 6),
    face: span(25, 70),
    ...hands(95),
  },
} satisfies KeypointSchema;

export const leftHand = handNames("left");
export const rightHand = handNames("right");
