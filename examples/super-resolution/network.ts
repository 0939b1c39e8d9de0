import { concat, interpolate, type Tensor } from "@omni/core";
import { Conv2d, Module } from "@omni/core/nn";

const CHANNELS = 64;
const GROWTH = 4;

/** A convolution that keeps the picture's size. */
const conv = (inner: number, out: number, kernel: number): Conv2d =>
  new Conv2d(inner, out, kernel, { padding: (kernel - 1) / 2 });

/**
 * A residual dense network that makes a picture twice as wide and as high. Its layers are called as in the published weights, and
 * those as in the paper: F_d_c is convolution c of dense block d, LFF and GFF fuse features of a block and of all blocks.
 *
 * @see Zhang et al. 2018, "Residual Dense Network for Image Super-Resolution", figure 2
 */
export class ResidualDenseNetwork extends Module {
  readonly F_m1 = conv(3, CHANNELS, 3);
  readonly F_0 = conv(CHANNELS, CHANNELS, 3);
  readonly F_1_1 = conv(CHANNELS, GROWTH, 3);
  readonly LFF_1 = conv(CHANNELS + GROWTH, CHANNELS, 1);
  readonly F_2_1 = conv(CHANNELS, GROWTH, 3);
  readonly LFF_2 = conv(CHANNELS + GROWTH, CHANNELS, 1);
  readonly GFF_1 = conv(2 * CHANNELS, CHANNELS, 1);
  readonly GFF_2 = conv(CHANNELS, CHANNELS, 3);
  readonly UPN1 = conv(CHANNELS, 64, 5);
  readonly UPN2 = conv(64, 32, 3);
  readonly UPN3 = conv(32, 12, 3);
  readonly SR = conv(12, 3, 3);

  /**
   * @param x pictures in [0, 1], [B, 3, H, W]
   * @returns [B, 3, 2·H, 2·W], in [0, 1] but for small overshoots
   */
  forward(x: Tensor): Tensor {
    const shallow = this.F_m1.forward(x);
    const block1 = dense(this.F_0.forward(shallow), this.F_1_1, this.LFF_1);
    const block2 = dense(block1, this.F_2_1, this.LFF_2);
    const fused = this.GFF_2.forward(this.GFF_1.forward(concat([block1, block2], { axis: 1 })));
    const h = this.UPN1.forward(fused.add(shallow)).relu();
    const features = this.UPN3.forward(this.UPN2.forward(h).relu());
    return this.SR.forward(interpolate(features, { scaleFactor: 2, mode: "nearest" }));
  }
}

/** A dense block of one convolution: what goes in joins what comes out, is fused, and is added. */
function dense(x: Tensor, grow: Conv2d, fuse: Conv2d): Tensor {
  return x.add(fuse.forward(concat([x, grow.forward(x).relu()], { axis: 1 })));
}
