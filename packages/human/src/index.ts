export { OmniHuman } from "./model.ts";
export type { EncodedText, HumanParts } from "./model.ts";
export { generate } from "./generate.ts";
export type { GeneratedSegment, GenerateOptions, GenerateProgress } from "./generate.ts";
export { activate, activeConditions, CONDITIONS } from "./conditions.ts";
export type { Activation, ConditionName, Conditions } from "./conditions.ts";
export { guidanceOf } from "./guide.ts";
export type { GuidanceScale, StepConditions } from "./guide.ts";
export { planSegments } from "./segments.ts";
export type { Segment } from "./segments.ts";
export { nearestSize, PICTURE_MULTIPLE } from "./sizes.ts";
export type { FrameSize } from "./sizes.ts";
export { pictureToVideo, videoToPictures } from "./picture.ts";
export type { Picture } from "./picture.ts";
export { Denoiser, forgetPose } from "./denoiser.ts";
export { checkHumanConfig, parseDenoiserConfig, presets } from "./config.ts";
export type { ClipConfig, DenoiserConfig, HumanConfig, HumanPreset, SamplingConfig } from "./config.ts";
export { ConfigError } from "./config-error.ts";
export {
  loadAudio,
  loadAutoencoder,
  loadDenoiser,
  nanoWeights,
  saveAudio,
  saveAutoencoder,
  saveDenoiser,
  WEIGHT_FILES,
  weightsIn,
} from "./weights.ts";
export type { HumanWeights, SaveDenoiserOptions, SaveOptions, WeightSource } from "./weights.ts";
