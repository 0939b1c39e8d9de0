import { attention, concat, conv3d } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Conv3d, Module, RMSNorm } from "@omni/core/nn";
import type { FeatureCache } from "./feature-cache.ts";
import type { LayerSpec } from "./layout.ts";

/** A layer of frames [B, C, T, H, W] that never looks ahead in time. With a cache it goes on where the last chunk ended. */
export abstract class CausalLayer extends Module {
  abstract forward(x: Tensor, cache: FeatureCache | null): Tensor;
}

interface LayerOptions {
  readonly normEps: number;
  readonly rng: Rng;
}

/** Builds the layer that a spec describes. */
export function makeLayer(spec: LayerSpec, options: LayerOptions): CausalLayer {
  switch (spec.kind) {
    case "residual":
      return new ResidualBlock(spec.in, spec.out, spec.temporalKernel, options);
    case "attention":
      return new FrameAttention(spec.dim, options);
    case "downsample":
      return new Downsample(spec, options);
    case "upsample":
      return new Upsample(spec, options);
  }
}

/**
 * A convolution that is causal in time: frame t sees frames t - k + 1 … t. All padding in time is in front; space is padded
 * on all sides, so the size stays.
 */
export class CausalConv3d extends Conv3d {
  readonly reach: number;
  readonly spatialPad: number;

  /** @param kernel [frames, edge]: 3×1 is [3, 1], 1×3×3 is [1, 3] */
  constructor(
    channelsIn: number,
    channelsOut: number,
    [frames, edge]: readonly [number, number],
    options: { readonly rng: Rng; readonly init?: "default" | "zeros" },
  ) {
    super(channelsIn, channelsOut, [frames, edge, edge], options);
    this.reach = frames - 1;
    this.spatialPad = (edge - 1) / 2;
  }

  override forward(x: Tensor, cache: FeatureCache | null = null): Tensor {
    const streamed = cache !== null && this.reach > 0;
    const side = [this.spatialPad, this.spatialPad] as const;
    return conv3d(streamed ? cache.extend(this, x, this.reach) : x, this.weight, this.bias, {
      padding: [[streamed ? 0 : this.reach, 0], side, side],
    });
  }
}

/** x + conv(silu(norm(conv(silu(norm(x)))))); the last convolution starts at zero, so a fresh block is its shortcut. */
export class ResidualBlock extends CausalLayer {
  readonly norm1: RMSNorm;
  readonly conv1: CausalConv3d;
  readonly norm2: RMSNorm;
  readonly conv2: CausalConv3d;
  readonly shortcut: CausalConv3d | null;

  constructor(channelsIn: number, channelsOut: number, temporalKernel: 1 | 3, { normEps, rng }: LayerOptions) {
    super();
    const kernel = [temporalKernel, 3] as const;
    this.norm1 = new RMSNorm(channelsIn, { eps: normEps, axis: 1 });
    this.conv1 = new CausalConv3d(channelsIn, channelsOut, kernel, { rng: rng.fork("conv1") });
    this.norm2 = new RMSNorm(channelsOut, { eps: normEps, axis: 1 });
    this.conv2 = new CausalConv3d(channelsOut, channelsOut, kernel, { rng: rng.fork("conv2"), init: "zeros" });
    this.shortcut =
      channelsIn === channelsOut
        ? null
        : new CausalConv3d(channelsIn, channelsOut, [1, 1], { rng: rng.fork("shortcut") });
  }

  forward(x: Tensor, cache: FeatureCache | null): Tensor {
    const h = this.conv1.forward(this.norm1.forward(x).silu(), cache);
    const residual = this.conv2.forward(this.norm2.forward(h).silu(), cache);
    return (this.shortcut?.forward(x) ?? x).add(residual);
  }
}

/** Self-attention of one head among the positions of each frame. */
export class FrameAttention extends CausalLayer {
  readonly norm: RMSNorm;
  readonly toQkv: Conv3d;
  readonly proj: Conv3d;

  constructor(dim: number, { normEps, rng }: LayerOptions) {
    super();
    this.norm = new RMSNorm(dim, { eps: normEps, axis: 1 });
    this.toQkv = new Conv3d(dim, 3 * dim, 1, { rng: rng.fork("toQkv") });
    this.proj = new Conv3d(dim, dim, 1, { rng: rng.fork("proj"), init: "zeros" });
  }

  forward(x: Tensor): Tensor {
    const [batch = 1, channels = 1, frames = 1, height = 1, width = 1] = x.shape;
    // [B, 3C, T, H, W] → three of [B, T, HW, C]: frames take the place of heads
    const [q, k, v] = this.toQkv
      .forward(this.norm.forward(x))
      .reshape([batch, 3, channels, frames, height * width])
      .permute([1, 0, 3, 4, 2])
      .chunk(3, 0)
      .map((part) => part.squeeze(0));
    if (!q || !k || !v) return x;
    const mixed = attention(q, k, v).permute([0, 3, 1, 2]).reshape([batch, channels, frames, height, width]);
    return x.add(this.proj.forward(mixed));
  }
}

/**
 * Halves space by a strided 3×3 convolution, time by a strided causal one over three frames. The first frame of a video has
 * no past and passes the latter untouched: 1 + 2n frames become 1 + n.
 */
export class Downsample extends CausalLayer {
  readonly spatial: Conv3d | null;
  readonly temporal: Conv3d | null;

  constructor(
    { dim, spatial, temporal }: { readonly dim: number; readonly spatial: boolean; readonly temporal: boolean },
    { rng }: LayerOptions,
  ) {
    super();
    this.spatial = spatial
      ? new Conv3d(dim, dim, [1, 3, 3], {
          stride: [1, 2, 2],
          padding: [
            [0, 0],
            [0, 1],
            [0, 1],
          ],
          rng: rng.fork("spatial"),
        })
      : null;
    this.temporal = temporal ? new Conv3d(dim, dim, [3, 1, 1], { stride: [2, 1, 1], rng: rng.fork("temporal") }) : null;
  }

  forward(x: Tensor, cache: FeatureCache | null): Tensor {
    const y = this.spatial?.forward(x) ?? x;
    if (!this.temporal) return y;
    const extended = cache?.extend(this, y, 1) ?? y;
    if (cache !== null && !cache.first) return this.temporal.forward(extended);
    const first = y.slice(2, 0, 1);
    return y.shape[2] === 1 ? first : concat([first, this.temporal.forward(y)], { axis: 2 });
  }
}

/**
 * Doubles time by a causal convolution to two frames' channels, space by nearest neighbours or a pixel shuffle. The first
 * frame of a video stays single: 1 + n frames become 1 + 2n.
 */
export class Upsample extends CausalLayer {
  readonly temporal: CausalConv3d | null;
  readonly spatial: CausalConv3d | null;
  readonly shuffle: boolean;

  constructor(spec: Extract<LayerSpec, { kind: "upsample" }>, { rng }: LayerOptions) {
    super();
    this.shuffle = spec.spatial === "shuffle";
    this.temporal = spec.temporal
      ? new CausalConv3d(spec.in, 2 * spec.in, [3, 1], { rng: rng.fork("temporal") })
      : null;
    const [width, edge] = this.shuffle ? [4 * spec.out, 1] : [spec.out, 3];
    this.spatial =
      spec.spatial === "none" ? null : new CausalConv3d(spec.in, width, [1, edge], { rng: rng.fork("spatial") });
  }

  forward(x: Tensor, cache: FeatureCache | null): Tensor {
    const y = this.temporal ? doubleTime(x, this.temporal, cache) : x;
    if (!this.spatial) return y;
    return this.shuffle ? depthToSpace(this.spatial.forward(y), 2) : this.spatial.forward(y.repeat(2, 3).repeat(2, 4));
  }
}

function doubleTime(x: Tensor, conv: CausalConv3d, cache: FeatureCache | null): Tensor {
  if (cache !== null && !cache.first) return twoFrames(conv.forward(x, cache));
  const first = x.slice(2, 0, 1);
  return x.shape[2] === 1 ? first : concat([first, twoFrames(conv.forward(x.slice(2, 1), cache))], { axis: 2 });
}

// convolutions run channels-last: moving positions in that order leaves their inputs and outputs where they lie
const CHANNELS_FIRST = [0, 4, 1, 2, 3];
const channelsLast = (x: Tensor): Tensor => x.permute([0, 2, 3, 4, 1]);

/** [B, 2C, T, H, W] → [B, C, 2T, H, W]: the first C channels are the earlier frame. */
function twoFrames(x: Tensor): Tensor {
  const [batch = 1, channels = 1, frames = 1, height = 1, width = 1] = x.shape;
  return channelsLast(x)
    .reshape([batch, frames, height, width, 2, channels / 2])
    .permute([0, 1, 4, 2, 3, 5])
    .reshape([batch, frames * 2, height, width, channels / 2])
    .permute(CHANNELS_FIRST);
}

/**
 * Folds blocks of size×size positions into channels: [B, C, T, H, W] → [B, C·size², T, H/size, W/size]. Channel order
 * (c, x, y), as Wan2.2's patchify.
 */
export function spaceToDepth(x: Tensor, size: number): Tensor {
  if (size === 1) return x;
  const [batch = 1, channels = 1, frames = 1, height = 1, width = 1] = x.shape;
  const [h, w] = [height / size, width / size];
  return channelsLast(x)
    .reshape([batch, frames, h, size, w, size, channels])
    .permute([0, 1, 2, 4, 6, 5, 3])
    .reshape([batch, frames, h, w, channels * size * size])
    .permute(CHANNELS_FIRST);
}

/** The inverse of `spaceToDepth`: [B, C·size², T, H, W] → [B, C, T, size·H, size·W]. */
export function depthToSpace(x: Tensor, size: number): Tensor {
  if (size === 1) return x;
  const [batch = 1, folded = 1, frames = 1, height = 1, width = 1] = x.shape;
  const channels = folded / (size * size);
  return channelsLast(x)
    .reshape([batch, frames, height, width, channels, size, size])
    .permute([0, 1, 2, 6, 3, 5, 4])
    .reshape([batch, frames, height * size, width * size, channels])
    .permute(CHANNELS_FIRST);
}
