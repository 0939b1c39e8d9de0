import { legOf } from "./figure/body.ts";
import { browPoints, eyeMatrix, eyeSize, mouthGeometry, mouthMatrix, sag } from "./figure/face.ts";
import { chinPoint, earPoint } from "./figure/head.ts";
import { fingertips } from "./figure/skeleton.ts";
import type { Arm, Point, Skeleton } from "./figure/skeleton.ts";
import { apply, compose } from "./raster/matrix.ts";

/**
 * Names of the keypoints in the order of every keypoint array, with their index in COCO-WholeBody's 133.
 * "left" is the person's own left.
 */
export const keypointTable = [
  ["nose", 0],
  ["leftEye", 1],
  ["rightEye", 2],
  ["leftEar", 3],
  ["rightEar", 4],
  ["leftShoulder", 5],
  ["rightShoulder", 6],
  ["leftElbow", 7],
  ["rightElbow", 8],
  ["leftWrist", 9],
  ["rightWrist", 10],
  ["leftHip", 11],
  ["rightHip", 12],
  ["leftKnee", 13],
  ["rightKnee", 14],
  ["leftAnkle", 15],
  ["rightAnkle", 16],
  ["chin", 31],
  ["rightBrowOuter", 40],
  ["rightBrowMiddle", 42],
  ["rightBrowInner", 44],
  ["leftBrowInner", 45],
  ["leftBrowMiddle", 47],
  ["leftBrowOuter", 49],
  ["rightEyeOuter", 59],
  ["rightEyeTop", 60],
  ["rightEyeInner", 62],
  ["rightEyeBottom", 63],
  ["leftEyeInner", 65],
  ["leftEyeTop", 66],
  ["leftEyeOuter", 68],
  ["leftEyeBottom", 69],
  ["mouthRight", 71],
  ["mouthTop", 74],
  ["mouthLeft", 77],
  ["mouthBottom", 80],
  ["leftThumbTip", 95],
  ["leftIndexTip", 99],
  ["leftMiddleTip", 103],
  ["leftRingTip", 107],
  ["leftPinkyTip", 111],
  ["rightThumbTip", 116],
  ["rightIndexTip", 120],
  ["rightMiddleTip", 124],
  ["rightRingTip", 128],
  ["rightPinkyTip", 132],
] as const;

export type KeypointName = (typeof keypointTable)[number][0];

export const keypointNames: readonly KeypointName[] = keypointTable.map(([name]) => name);

/** Index of each keypoint in COCO-WholeBody's list of 133. */
export const wholeBodyIndices: readonly number[] = keypointTable.map(([, index]) => index);

export function keypointIndex(name: KeypointName): number {
  return keypointNames.indexOf(name);
}

const from = (start: KeypointName, end: KeypointName): readonly number[] => {
  const first = keypointIndex(start);
  return Array.from({ length: keypointIndex(end) - first + 1 }, (_, i) => first + i);
};

/** Indices of the body's, the face's and the hands' keypoints (a hand starts with its wrist). */
export const keypointGroups = {
  body: from("nose", "rightAnkle"),
  face: from("chin", "mouthBottom"),
  leftHand: [keypointIndex("leftWrist"), ...from("leftThumbTip", "leftPinkyTip")],
  rightHand: [keypointIndex("rightWrist"), ...from("rightThumbTip", "rightPinkyTip")],
} as const;

const edgeNames: readonly (readonly [KeypointName, KeypointName])[] = [
  ["nose", "leftEye"],
  ["nose", "rightEye"],
  ["leftEye", "leftEar"],
  ["rightEye", "rightEar"],
  ["leftShoulder", "rightShoulder"],
  ["leftShoulder", "leftElbow"],
  ["leftElbow", "leftWrist"],
  ["rightShoulder", "rightElbow"],
  ["rightElbow", "rightWrist"],
  ["leftShoulder", "leftHip"],
  ["rightShoulder", "rightHip"],
  ["leftHip", "rightHip"],
  ["leftHip", "leftKnee"],
  ["leftKnee", "leftAnkle"],
  ["rightHip", "rightKnee"],
  ["rightKnee", "rightAnkle"],
  ["rightBrowOuter", "rightBrowMiddle"],
  ["rightBrowMiddle", "rightBrowInner"],
  ["leftBrowInner", "leftBrowMiddle"],
  ["leftBrowMiddle", "leftBrowOuter"],
  ["rightEyeOuter", "rightEyeTop"],
  ["rightEyeTop", "rightEyeInner"],
  ["rightEyeInner", "rightEyeBottom"],
  ["rightEyeBottom", "rightEyeOuter"],
  ["leftEyeInner", "leftEyeTop"],
  ["leftEyeTop", "leftEyeOuter"],
  ["leftEyeOuter", "leftEyeBottom"],
  ["leftEyeBottom", "leftEyeInner"],
  ["mouthRight", "mouthTop"],
  ["mouthTop", "mouthLeft"],
  ["mouthLeft", "mouthBottom"],
  ["mouthBottom", "mouthRight"],
  ...(["left", "right"] as const).flatMap((side) =>
    (["Thumb", "Index", "Middle", "Ring", "Pinky"] as const).map(
      (finger) => [`${side}Wrist`, `${side}${finger}Tip`] as const,
    ),
  ),
];

/** Pairs of keypoint indices that are joined by a limb or a contour. */
export const keypointEdges: readonly (readonly [number, number])[] = edgeNames.map(([a, b]) => [
  keypointIndex(a),
  keypointIndex(b),
]);

/** The exact place of each keypoint, in pixels of the skeleton's view. */
export function locateKeypoints(skeleton: Skeleton): Record<KeypointName, Point> {
  const { head, scene, project, state } = skeleton;
  const onHead = (point: Point): Point => apply(head, ...point);
  const inScene = (point: Point): Point => apply(scene, ...point);
  const { half, up, down, curve } = mouthGeometry(skeleton);
  const mouth = mouthMatrix(skeleton);
  const tips = (arm: Arm): readonly [Point, Point, Point, Point, Point] => {
    const onHand = compose(scene, arm.hand);
    const [thumb, index, middle, ring, pinky] = fingertips(arm.state);
    return [
      apply(onHand, ...thumb),
      apply(onHand, ...index),
      apply(onHand, ...middle),
      apply(onHand, ...ring),
      apply(onHand, ...pinky),
    ];
  };
  const eye = (side: 1 | -1): { centre: Point; inner: Point; outer: Point; top: Point; bottom: Point } => {
    const matrix = eyeMatrix(skeleton, side);
    const { rx, ry } = eyeSize(skeleton);
    const height = Math.max(0.03, ry * (side > 0 ? state.leftEye : state.rightEye));
    const y = (ry - height) * 0.35;
    return {
      centre: apply(matrix, 0, y),
      inner: apply(matrix, -side * rx, y),
      outer: apply(matrix, side * rx, y),
      top: apply(matrix, 0, y - height),
      bottom: apply(matrix, 0, y + height),
    };
  };
  const left = eye(1);
  const right = eye(-1);
  const [leftInner, leftMiddle, leftOuter] = browPoints(skeleton, 1);
  const [rightInner, rightMiddle, rightOuter] = browPoints(skeleton, -1);
  const legLeft = legOf(skeleton, 1);
  const legRight = legOf(skeleton, -1);
  const [leftThumbTip, leftIndexTip, leftMiddleTip, leftRingTip, leftPinkyTip] = tips(skeleton.left);
  const [rightThumbTip, rightIndexTip, rightMiddleTip, rightRingTip, rightPinkyTip] = tips(skeleton.right);
  return {
    nose: onHead(project(0, 0.36, 1.1)),
    leftEye: left.centre,
    rightEye: right.centre,
    leftEar: onHead(earPoint(skeleton, 1)),
    rightEar: onHead(earPoint(skeleton, -1)),
    leftShoulder: inScene(skeleton.left.shoulder),
    rightShoulder: inScene(skeleton.right.shoulder),
    leftElbow: inScene(skeleton.left.elbow),
    rightElbow: inScene(skeleton.right.elbow),
    leftWrist: inScene(skeleton.left.wrist),
    rightWrist: inScene(skeleton.right.wrist),
    leftHip: inScene(legLeft.hip),
    rightHip: inScene(legRight.hip),
    leftKnee: inScene(legLeft.knee),
    rightKnee: inScene(legRight.knee),
    leftAnkle: inScene(legLeft.ankle),
    rightAnkle: inScene(legRight.ankle),
    chin: onHead(chinPoint(skeleton)),
    rightBrowOuter: onHead(rightOuter),
    rightBrowMiddle: onHead(rightMiddle),
    rightBrowInner: onHead(rightInner),
    leftBrowInner: onHead(leftInner),
    leftBrowMiddle: onHead(leftMiddle),
    leftBrowOuter: onHead(leftOuter),
    rightEyeOuter: right.outer,
    rightEyeTop: right.top,
    rightEyeInner: right.inner,
    rightEyeBottom: right.bottom,
    leftEyeInner: left.inner,
    leftEyeTop: left.top,
    leftEyeOuter: left.outer,
    leftEyeBottom: left.bottom,
    mouthRight: apply(mouth, -half, -curve * 0.4),
    mouthTop: apply(mouth, 0, sag * curve - up),
    mouthLeft: apply(mouth, half, -curve * 0.4),
    mouthBottom: apply(mouth, 0, sag * curve + down),
    leftThumbTip,
    leftIndexTip,
    leftMiddleTip,
    leftRingTip,
    leftPinkyTip,
    rightThumbTip,
    rightIndexTip,
    rightMiddleTip,
    rightRingTip,
    rightPinkyTip,
  };
}

/**
 * Write one frame's keypoints as x, y (pixels), visibility (1 inside the frame, 0 outside) into `out` at `offset`.
 *
 * @param out [frames, keypoints, 3]
 */
export function writeKeypoints(skeleton: Skeleton, out: Float32Array, offset: number): void {
  const { width, height } = skeleton.view;
  const located = locateKeypoints(skeleton);
  keypointNames.forEach((name, i) => {
    const [x, y] = located[name];
    out[offset + 3 * i] = x;
    out[offset + 3 * i + 1] = y;
    out[offset + 3 * i + 2] = x >= 0 && y >= 0 && x < width && y < height ? 1 : 0;
  });
}
