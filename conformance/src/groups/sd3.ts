import { Rng, type Tensor } from "@omni/core";
import { Block, sd3Block, type Sd3Config, sd3DiffusersRules, type Sd3States, Sd3Transformer } from "@omni/dit";
import { flowPoint } from "@omni/sampler";
import { type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import type { TorchArgs } from "../torch-args.ts";
import { SkippedCase } from "../types.ts";
import { joinUpstream } from "./dit-weights.ts";

/** Stable Diffusion 3's transformer: whole, in a training step, and one block of it. */
export const runSd3 = modelCases(
  {
    SD3Transformer2DModel: transformer,
    JointTransformerBlock: jointBlock,
  },
  ({ args }) => String(args["model_class"]),
);

/** Whether queries and keys have a norm; diffusers has others than ours. */
function hasQkNorm(args: TorchArgs): boolean {
  if (!args.has("qk_norm")) return false;
  const norm = args.text("qk_norm");
  if (norm !== "rms_norm") throw new SkippedCase(`qk_norm ${norm} is not implemented`);
  return true;
}

function sd3Config(args: TorchArgs): Sd3Config {
  if (args.has("dual_attention_layers") && args.numbers("dual_attention_layers").length > 0)
    throw new SkippedCase("dual attention is not implemented");
  const patch = args.number("patch_size");
  const headDim = args.number("attention_head_dim");
  const width = headDim * args.number("num_attention_heads");
  if (patch !== 2 || args.number("caption_projection_dim") !== width)
    throw new Error(`SD3Transformer2DModel: must have patches of 2 and text of the width ${width}`);
  const latentChannels = args.number("in_channels");
  return {
    latentChannels,
    outChannels: args.number("out_channels", latentChannels),
    width,
    headDim,
    depth: args.number("num_layers"),
    textDim: args.number("joint_attention_dim"),
    pooledDim: args.number("pooled_projection_dim"),
    positions: args.number("pos_embed_max_size"),
    baseSize: Math.floor(args.number("sample_size") / patch),
    qkNorm: hasQkNorm(args),
  };
}

function transformer({ args, input, optional, weights }: ModelCase): ModelAnswer {
  const config = sd3Config(args);
  const network = new Sd3Transformer(config);
  const parameter = joinUpstream(network, weights, sd3DiffusersRules(config));
  const conditions = { text: input("encoder_hidden_states"), pooled: input("pooled_projections") };
  const clean = optional("x0");
  if (!clean) {
    const states = network.states({ noisy: input("hidden_states"), timestep: input("timestep"), ...conditions });
    return { outputs: named(states), parameter };
  }
  const sigmas = input("sigmas");
  const { xt, velocity: target } = flowPoint(clean, input("noise"), sigmas);
  const velocity = network.forward({ noisy: xt, timestep: sigmas.mul(1000), ...conditions });
  const squares = velocity.sub(target).square();
  return {
    outputs: {
      loss: () => squares.mean(),
      loss_per_sample: () => squares.mean({ axis: [1, 2, 3] }),
      x_t: () => xt,
      target: () => target,
      v: () => velocity,
    },
    parameter,
  };
}

/** Hidden states by the format's names. */
function named({ velocity, vector, tokens, blocks }: Sd3States): ModelAnswer["outputs"] {
  return Object.fromEntries([
    ["sample", () => velocity],
    ["temb", () => vector],
    ["patch_pos_embed", () => tokens.squeeze(1)],
    ...blocks.flatMap(({ video, text }, i): [string, () => Tensor][] => [
      [`block.${i}.hidden`, () => video.squeeze(1)],
      ...(text ? [[`block.${i}.context`, () => text.squeeze(1)] as [string, () => Tensor]] : []),
    ]),
  ]);
}

function jointBlock({ args, input, weights }: ModelCase): ModelAnswer {
  const headDim = args.number("attention_head_dim");
  const width = headDim * args.number("num_attention_heads");
  if (args.number("dim") !== width) throw new Error(`JointTransformerBlock: dim must be ${width}`);
  const isLast = args.flag("context_pre_only");
  const options = { hasText: true, isLast, audio: null, rng: new Rng(0) };
  const block = new Block(sd3Block({ width, headDim, qkNorm: hasQkNorm(args) }), options);
  const place = { ours: "blocks.0.", theirs: "transformer_blocks.0." };
  const parameter = joinUpstream(block, weights, sd3DiffusersRules({ depth: isLast ? 1 : 2 }), place);
  const time = input("temb").unsqueeze(1);
  const streams = { video: input("hidden_states").unsqueeze(1), text: input("encoder_hidden_states").unsqueeze(1) };
  const { video, text } = block.forward(streams, {
    time: { video: time, text: time },
    rope: null,
    keyMask: null,
    pack: null,
    audio: null,
    layout: { referenceFrames: 0, motionFrames: 0, noisyFrames: 1, frames: 1 },
  });
  return {
    outputs: { hidden: () => video.squeeze(1), ...(text && { context: () => text.squeeze(1) }) },
    parameter,
  };
}
