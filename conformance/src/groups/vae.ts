import { concat, Rng } from "@omni/core";
import { keySources } from "@omni/core/checkpoint";
import { CausalConv3d, CausalVae, diffusersRules, FeatureCache, vaePresets, type VaeConfig } from "@omni/vae";
import { loadUpstream, type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import type { TorchArgs } from "../torch-args.ts";
import { SkippedCase, type Weights } from "../types.ts";

/** Video autoencoders: whole ones, and their causal convolution. */
export const runVae = modelCases(
  {
    AutoencoderKLWan: autoencoder,
    WanCausalConv3d: causalConvolution,
  },
  ({ args }) => String(args["model_class"]),
);

/** diffusers' arguments of `AutoencoderKLWan` as our config. */
function vaeConfig(args: TorchArgs): VaeConfig {
  if (args.numbers("attn_scales").length > 0) throw new SkippedCase("attn_scales are not implemented");
  const base = args.number("base_dim");
  const dims = args.numbers("dim_mult").map((multiple) => base * multiple);
  const blocks = args.number("num_res_blocks");
  return {
    ...vaePresets.wan21,
    encoderDims: dims,
    decoderDims: dims,
    encoderBlocks: blocks,
    decoderBlocks: blocks + 1,
    spatialDownsample: dims.slice(1).map(() => true),
    temporalDownsample: flags(args.raw("temperal_downsample")),
    temporalKernel: dims.map(() => 3 as const),
    zDim: args.number("z_dim"),
    latentMean: args.numbers("latents_mean"),
    latentStd: args.numbers("latents_std"),
  };
}

function autoencoder({ args, input, optional, weights }: ModelCase): ModelAnswer {
  const config = vaeConfig(args);
  const vae = new CausalVae(config);
  const sources = keySources(Object.keys(vae.stateDict()), diffusersRules(config));
  const names = new Map([...sources].flatMap(([name, { keys }]) => keys.map((key) => [key, name])));
  const toOurs = (key: string): string | undefined => names.get(key);
  const parameter = loadUpstream(vae, shapedFor(vae, weights, toOurs), toOurs);
  const whole = optional("video");
  // upstream encodes whole chunks of four frames after the first, and leaves the rest out
  const video = whole && whole.slice(2, 0, 1 + 4 * Math.floor(((whole.shape[2] ?? 1) - 1) / 4));
  const moments = video && vae.encoderMoments(video);
  const mean = moments?.slice(1, 0, config.zDim);
  const decoded = () => vae.decodeRaw(mean ?? input("z")).clamp(-1, 1);
  return {
    outputs: { ...(moments && mean && { moments: () => moments, mean: () => mean }), sample: decoded, decoded },
    parameter,
  };
}

/** Upstream's weights in our shapes: norm gains as vectors, 2D kernels as kernels of one frame. */
function shapedFor(vae: CausalVae, weights: Weights, toOurs: (key: string) => string | undefined): Weights {
  const own = vae.stateDict();
  return new Map(
    [...weights].map(([key, { shape, data }]) => {
      const target = own[toOurs(key) ?? ""]?.shape ?? shape;
      const same = target.filter((n) => n > 1).join() === shape.filter((n) => n > 1).join();
      return [key, { shape: same ? target : shape, data }];
    }),
  );
}

const flags = (value: unknown): boolean[] => (Array.isArray(value) ? value.map((flag) => flag === true) : []);

/** One size an axis; one alone is for all. */
const three = (sizes: readonly number[]): readonly number[] =>
  sizes.length === 1 ? [0, 1, 2].map(() => sizes[0] ?? 1) : sizes;

/** A causal convolution alone, with upstream's cache of past frames and without. */
function causalConvolution({ args, input, weights }: ModelCase): ModelAnswer {
  const kernel = three(args.numbers("kernel_size"));
  const padding = three(args.has("padding") ? args.numbers("padding") : [0]);
  const [frames = 1, edge = 1] = kernel;
  if (kernel[2] !== edge || kernel.some((k, axis) => padding[axis] !== (k - 1) / 2))
    throw new Error(
      `WanCausalConv3d: must keep the size, got kernel ${kernel.join("×")}, padding ${padding.join("×")}`,
    );
  const conv = new CausalConv3d(args.number("in_channels"), args.number("out_channels"), [frames, edge], {
    rng: new Rng(0),
  });
  const parameter = loadUpstream(conv, weights);
  const x = input("x");
  const past = input("cache");
  const continued = () => {
    const cache = new FeatureCache();
    cache.extend(conv, past, conv.reach);
    cache.advance();
    return conv.forward(x, cache);
  };
  return {
    outputs: {
      full: () => conv.forward(concat([past, x], { axis: 2 })),
      with_cache: continued,
      no_cache: () => conv.forward(x),
    },
    parameter,
  };
}
