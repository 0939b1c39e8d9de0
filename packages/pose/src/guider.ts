import { conv3d, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Conv3d, fans, Module, type Init, type Initializer } from "@omni/core/nn";
import { guiderStride, poseGuiderPresets } from "./config.ts";
import type { PoseGuiderConfig } from "./config.ts";
import { renderHeatmaps } from "./heatmap.ts";

/**
 * Root mean square of a heatmap: most of it is zero. Features of unit size need first weights over this; weaker ones a denoiser beside noise of unit
 * size does not learn to see.
 */
const HEATMAP_RMS = 0.15;
/** Keeps the variance of a unit normal signal through a SiLU. */
const SILU_GAIN = 1.68;

/** Normal weights that multiply the size of a signal by the gain. */
const scaled =
  (gain: number): Initializer =>
  (shape, rng) =>
    rng.normal(shape).mul(gain / Math.sqrt(fans(shape).fanIn));

/**
 * Turns keypoint heatmaps into channels for the noise latent: a few strided convolutions down to the latent grid, then one
 * over adjacent latent frames. Causal in time like the autoencoder: latent frame 0 sees frame 0, latent frame n frames up to
 * 4n.
 *
 * @see OmniHuman-1, section 3.2
 */
export class PoseGuider extends Module {
  readonly config: PoseGuiderConfig;
  readonly layers: readonly CausalConv[];
  readonly convOut: CausalConv;

  constructor(config: PoseGuiderConfig = poseGuiderPresets.nano, rng: Rng = new Rng(0)) {
    super();
    this.config = config;
    let width = config.keypoints;
    this.layers = config.layers.map(({ channels, temporalStride, spatialStride }, i) => {
      const strides = [temporalStride, spatialStride] as const;
      const init = scaled(SILU_GAIN / (i === 0 ? HEATMAP_RMS : 1));
      const layer = new CausalConv(width, channels, [3, 3], strides, { rng: rng.fork(`layers.${i}`), init });
      width = channels;
      return layer;
    });
    this.convOut = new CausalConv(width, config.outChannels, [3, 1], [1, 1], {
      rng: rng.fork("convOut"),
      init: config.zeroInit ? "zeros" : scaled(1),
    });
  }

  /**
   * @param heatmaps [B, K, 1 + 4n, H, W], H and W those of the frame over `heatmapStride`
   * @returns [B, c, 1 + n, h, w]
   * @throws ShapeError when K or the sizes do not fit
   */
  forward(heatmaps: Tensor): Tensor {
    this.#check(heatmaps);
    let h = heatmaps;
    for (const layer of this.layers) h = layer.forward(h).silu();
    return this.convOut.forward(h);
  }

  /**
   * Draws the heatmaps, then `forward`.
   *
   * @param keypoints [B, F, K, 3]: x, y as fractions of the frame, visibility
   * @param frame its size in pixels
   */
  fromKeypoints(keypoints: Tensor, frame: { readonly height: number; readonly width: number }): Tensor {
    const { heatmapStride, sigma } = this.config;
    const [height, width] = [frame.height / heatmapStride, frame.width / heatmapStride];
    return this.forward(renderHeatmaps(keypoints, { height, width, sigma }).permute([0, 2, 1, 3, 4]));
  }

  #check(heatmaps: Tensor): void {
    const { temporal, spatial } = guiderStride(this.config);
    const edge = spatial / this.config.heatmapStride;
    const [, keypoints, frames = 0, height = 0, width = 0] = heatmaps.shape;
    const whole = (frames - 1) % temporal === 0 && height % edge === 0 && width % edge === 0;
    if (heatmaps.ndim !== 5 || keypoints !== this.config.keypoints || !whole) {
      throw new ShapeError(
        `PoseGuider: heatmaps must be [B, ${this.config.keypoints}, 1 + ${temporal}n, ${edge}h, ${edge}w], ` +
          `got [${heatmaps.shape.join(", ")}]`,
      );
    }
  }
}

/** A convolution whose padding in time is all in front; in space it keeps the size, over the stride. */
class CausalConv extends Conv3d {
  readonly reach: number;
  readonly spatialPad: number;
  readonly strides: readonly [temporal: number, spatial: number];

  constructor(
    channelsIn: number,
    channelsOut: number,
    [frames, edge]: readonly [number, number],
    strides: readonly [temporal: number, spatial: number],
    options: { readonly rng: Rng; readonly init: Init },
  ) {
    super(channelsIn, channelsOut, [frames, edge, edge], options);
    this.reach = frames - 1;
    this.spatialPad = (edge - 1) / 2;
    this.strides = strides;
  }

  override forward(x: Tensor): Tensor {
    const [temporal, spatial] = this.strides;
    const side = [this.spatialPad, this.spatialPad] as const;
    return conv3d(x, this.weight, this.bias, {
      stride: [temporal, spatial, spatial],
      padding: [[this.reach, 0], side, side],
    });
  }
}
