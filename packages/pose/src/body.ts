/** Which points a pose has and how they hang together. */
export interface KeypointSchema {
  readonly name: string;
  /** Names in index order. */
  readonly keypoints: readonly string[];
  /** Limbs as pairs of indices. */
  readonly edges: readonly (readonly [number, number])[];
  /** Parts of the body as lists of indices; a point may be in several or none. */
  readonly groups: Readonly<Record<string, readonly number[]>>;
  /** Spread of each point's annotation as a fraction of the body's scale (COCO's object keypoint similarity). */
  readonly sigmas?: readonly number[];
}

/** COCO's 17 body points. @see https://cocodataset.org/#keypoints-eval */
export const coco17 = {
  name: "coco17",
  keypoints: [
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
  ],
  edges: [
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 4],
    [5, 6],
    [5, 7],
    [7, 9],
    [6, 8],
    [8, 10],
    [5, 11],
    [6, 12],
    [11, 12],
    [11, 13],
    [13, 15],
    [12, 14],
    [14, 16],
  ],
  groups: {
    head: [0, 1, 2, 3, 4],
    arms: [5, 6, 7, 8, 9, 10],
    legs: [11, 12, 13, 14, 15, 16],
    hands: [9, 10],
  },
  sigmas: [
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
    0.089,
  ],
} as const satisfies KeypointSchema;

/** The eight points that drive the nano model: enough for head and arms at 64 pixels. */
export const upperBody8 = {
  name: "upper-body-8",
  keypoints: [
    "head",
    "neck",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
  ],
  edges: [
    [0, 1],
    [1, 2],
    [1, 3],
    [2, 4],
    [4, 6],
    [3, 5],
    [5, 7],
  ],
  groups: { head: [0, 1], arms: [2, 3, 4, 5, 6, 7], hands: [6, 7] },
} as const satisfies KeypointSchema;
