export {
  bodyAndHands59,
  coco17,
  cocoWholeBody133,
  keypointIndices,
  keypointSchemas,
  openPose137,
  upperBody8,
} from "./keypoints.ts";
export type { KeypointSchema } from "./keypoints.ts";
export { convertTrack, frameCount, keypointAt, trackTensor } from "./track.ts";
export type { Keypoint, KeypointTrack } from "./track.ts";
export { KeypointFormatError } from "./json-checks.ts";
export { keypointsToJson, parseKeypoints } from "./keypoint-json.ts";
export type { KeypointFile } from "./keypoint-json.ts";
export { isOpenPose, openPoseJson, parseOpenPose } from "./openpose-json.ts";
export type { OpenPoseDefaults, OpenPoseFrame } from "./openpose-json.ts";
export { fillGaps, hideBelow, resampleTrack, smoothTrack } from "./smoothing.ts";
export { oneEuro } from "./one-euro.ts";
export type { OneEuroOptions } from "./one-euro.ts";
export { retarget } from "./retarget.ts";
export { renderHeatmaps } from "./heatmap.ts";
export type { HeatmapOptions, HeatmapSigma } from "./heatmap.ts";
export { guiderStride, poseGuiderPresets } from "./config.ts";
export type { GuiderLayer, PoseGuiderConfig } from "./config.ts";
export { PoseGuider } from "./guider.ts";
export type { Image } from "./image.ts";
export { drawPose } from "./overlay.ts";
export type { OverlayOptions } from "./overlay.ts";
export { GraphModel } from "./tfjs/graph-model.ts";
export { estimateTrack, exchangeSides } from "./estimate/estimator.ts";
export type { FrameSource, PoseEstimator } from "./estimate/estimator.ts";
export { MoveNetEstimator, poseWeightsIn } from "./estimate/movenet-estimator.ts";
export type { PoseWeights } from "./estimate/movenet-estimator.ts";
export { OnnxPoseEstimator, PoseModelError } from "./estimate/onnx-estimator.ts";
export type { OnnxOptions, OnnxRuntime } from "./estimate/onnx-estimator.ts";
export { bodySquare, MoveNet } from "./estimate/movenet.ts";
export type { Found } from "./estimate/movenet.ts";
export { HandLandmarks, handSquare, wristSquare } from "./estimate/hands.ts";
export type { Hand } from "./estimate/hands.ts";
export { cropSquare, fromSquare, wholeSquare } from "./estimate/square.ts";
export type { Point, Square } from "./estimate/square.ts";
