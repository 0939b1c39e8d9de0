export { Adversary, type AdversarialOptions, type Judged, type Verdict } from "./adversary.ts";
export { NANO_SIZES, nanoVaePhases, trainVae, type VaePhase, type VaeTraining } from "./train-vae.ts";
export { trainAudio, type AudioTraining } from "./train-audio.ts";
export { denoiserLoss, trainDit, type DitTraining, type TrainedDenoiser } from "./train-dit.ts";
export { videoTensor } from "./batch.ts";
export { encodeClips, EncodedClips, type ClipEncoder, type EncodedClip } from "./encoded-clips.ts";
export {
  ConditionDraw,
  halfPoseStages,
  withPoseRatio,
  halvingStages,
  RATIO_CONDITIONS,
  stageAt,
  type Ratios,
  type Stage,
} from "./stages.ts";
export { DivergedError } from "./optimization.ts";
export { RunState } from "./run-state.ts";
export type { LogLine, LoopOptions } from "./loop.ts";
export type { ClipSize, ClipSource, SpeechSample, SpeechSource, TrainingClip } from "./sample.ts";
