import { leakyRelu, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Module } from "@omni/core/nn";
import { SpectralConv3d } from "./spectral-conv.ts";

/** Shape of a patch discriminator. */
export interface DiscriminatorConfig {
  /** Frames that a convolution sees: 1 judges each frame by itself ("image"), 3 also how they follow each other ("video"). */
  readonly temporalKernel: 1 | 3;
  /** Channels of the first layer; they double with each halving, up to eight times. */
  readonly width: number;
  /** Halvings of height and width. */
  readonly levels: number;
}

export const discriminatorPresets = {
  /** pix2pix's: patches of 70×70 pixels. */
  image: { temporalKernel: 1, width: 64, levels: 3 },
  video: { temporalKernel: 3, width: 64, levels: 3 },
  /** For frames of about 64×64: patches of 34×34. */
  "nano-image": { temporalKernel: 1, width: 32, levels: 2 },
  "nano-video": { temporalKernel: 3, width: 32, levels: 2 },
} as const satisfies Record<string, DiscriminatorConfig>;

const SLOPE = 0.2;
const MOST = 8;

/**
 * Says of each patch of a video whether it looks real: convolutions of 4×4 pixels, all spectrally normalised, with leaky ReLUs.
 *
 * @see Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (PatchGAN); Yu et al. 2019, "Free-Form Image
 * Inpainting with Gated Convolution" (SN-PatchGAN); Chang et al. 2019 for its 3D form
 */
export class PatchDiscriminator extends Module {
  readonly layers: readonly SpectralConv3d[];

  constructor({ temporalKernel, width, levels }: DiscriminatorConfig, rng: Rng = new Rng(0)) {
    super();
    const kernel = [temporalKernel, 4, 4];
    const padding = [(temporalKernel - 1) / 2, 1, 1];
    const widths = [3, ...Array.from({ length: levels + 1 }, (_, i) => width * Math.min(2 ** i, MOST)), 1];
    this.layers = widths.slice(1).map((to, i) => {
      const edge = i < levels ? 2 : 1;
      return new SpectralConv3d(widths[i] ?? 3, to, kernel, {
        stride: [1, edge, edge],
        padding,
        rng: rng.fork(`${i}`),
      });
    });
  }

  /**
   * @param video [B, 3, F, H, W] in [-1, 1]
   * @returns a score for each patch of each frame, [B, 1, F, h, w]: high where it looks real
   * @throws ShapeError for other shapes, and frames too small to halve so often
   */
  forward(video: Tensor): Tensor {
    if (video.ndim !== 5 || video.shape[1] !== 3)
      throw new ShapeError(`PatchDiscriminator: video must be [B, 3, F, H, W], got [${video.shape.join(", ")}]`);
    const last = this.layers.length - 1;
    return this.layers.reduce((x, layer, i) => {
      const y = layer.forward(x);
      return i < last ? leakyRelu(y, SLOPE) : y;
    }, video);
  }
}
