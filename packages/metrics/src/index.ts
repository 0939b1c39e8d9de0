export { frechetDistance } from "./frechet-distance.ts";
export { FeatureAccumulator, type Features, featureStatistics, type FeatureStatistics } from "./feature-statistics.ts";
export { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";
export type { Picture } from "./picture.ts";
export { psnr } from "./psnr.ts";
export { GAUSSIAN_11, ssim, type SsimOptions, type SsimWindow, UNIFORM_7 } from "./ssim.ts";
export { type LipSync, lipSync, type LipSyncOptions } from "./lip-sync.ts";
export {
  handKeypointConfidence,
  type HandKeypoints,
  handKeypointVariance,
  type HandVariance,
} from "./hand-keypoints.ts";
export { InceptionV3, type InceptionFeatures } from "./inception.ts";
export { BasicConv2d, InceptionA, InceptionB, InceptionC, InceptionD, InceptionE } from "./inception-blocks.ts";
export { SyncNet } from "./syncnet.ts";
export { loadNetwork } from "./load-network.ts";
