import type { HeatmapSigma } from "./heatmap.ts";

/** One strided convolution of the guider. */
export interface GuiderLayer {
  readonly channels: number;
  /** 2 halves time: 1 + 2n frames become 1 + n. */
  readonly temporalStride: 1 | 2;
  readonly spatialStride: 1 | 2;
}

/** Shape of a pose guider. */
export interface PoseGuiderConfig {
  /** Heatmaps a frame, K. */
  readonly keypoints: number;
  /** Frame pixels a heatmap pixel: heatmaps are rendered at 1/stride of the frame. */
  readonly heatmapStride: number;
  readonly sigma: HeatmapSigma;
  readonly layers: readonly GuiderLayer[];
  /** Channels stacked on the noise latent. */
  readonly outChannels: number;
  /** Starts the last convolution at zero, for a denoiser whose own new input weights do not start at zero. */
  readonly zeroInit: boolean;
}

export const poseGuiderPresets = {
  /** Eight points drawn at a quarter of the frame, 16 channels at 1/8: 49 MFLOP for 25 frames of 64×64 pixels. */
  nano: {
    keypoints: 8,
    heatmapStride: 4,
    sigma: { unit: "fraction", value: 0.09 },
    layers: [
      { channels: 32, temporalStride: 2, spatialStride: 2 },
      { channels: 32, temporalStride: 2, spatialStride: 1 },
    ],
    outChannels: 16,
    zeroInit: false,
  },
  /** COCO's whole body, 32 channels at 1/8. */
  large: {
    keypoints: 133,
    heatmapStride: 4,
    sigma: { unit: "fraction", value: 0.02 },
    layers: [
      { channels: 128, temporalStride: 2, spatialStride: 2 },
      { channels: 128, temporalStride: 2, spatialStride: 1 },
    ],
    outChannels: 32,
    zeroInit: true,
  },
} as const satisfies Record<string, PoseGuiderConfig>;

/** Frame pixels and frames that one cell of the guider's output stands for. */
export function guiderStride(config: PoseGuiderConfig): { readonly temporal: number; readonly spatial: number } {
  return {
    temporal: config.layers.reduce((n, layer) => n * layer.temporalStride, 1),
    spatial: config.layers.reduce((n, layer) => n * layer.spatialStride, config.heatmapStride),
  };
}
