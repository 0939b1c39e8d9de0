import type { Tensor } from "@omni/core";
import {
  applyRope,
  NO_CONDITIONS,
  type Position,
  rope3d,
  ropeAngles,
  sincosTable3d,
  timestepEmbedding,
  type WanConfig,
  wanDiffusersRules,
  WanDit,
  wanRopeAxes,
} from "@omni/dit";
import { type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import type { TorchArgs } from "../torch-args.ts";
import { type Computed, SkippedCase } from "../types.ts";
import { joinUpstream } from "./dit-weights.ts";

/** Video transformers, and the tables of positions and times that they are given. */
export const runVideoDit = modelCases({
  model: transformer,
  rope3d_table: ropeTable,
  timestep_embedding: embedding,
  sincos_pos_embed_3d: positionTable,
});

function wanConfig(args: TorchArgs): WanConfig {
  const name = args.text("model_class");
  if (name !== "WanTransformer3DModel") throw new SkippedCase(`${name} is not implemented`);
  if (args.has("image_dim") || args.has("added_kv_proj_dim"))
    throw new SkippedCase("Wan's image-to-video is not implemented");
  if (args.numbers("patch_size").join() !== "1,2,2") throw new Error("WanTransformer3DModel: patches must be 1×2×2");
  if (args.text("qk_norm") !== "rms_norm_across_heads" || args.number("eps") !== 1e-6)
    throw new Error("WanTransformer3DModel: must have qk_norm across heads and eps 1e-6");
  const headDim = args.number("attention_head_dim");
  return {
    latentChannels: args.number("in_channels"),
    outChannels: args.number("out_channels"),
    textDim: args.number("text_dim"),
    width: headDim * args.number("num_attention_heads"),
    headDim,
    depth: args.number("num_layers"),
    ffnDim: args.number("ffn_dim"),
    timeDim: args.number("freq_dim"),
    crossNorm: args.flag("cross_attn_norm"),
  };
}

function transformer({ args, input, weights }: ModelCase): ModelAnswer {
  const config = wanConfig(args);
  const network = new WanDit(config);
  const parameter = joinUpstream(network, weights, wanDiffusersRules);
  const noisy = input("hidden_states");
  const t = input("timestep").cast("f32").div(1000);
  const velocity = network.forward({ ...NO_CONDITIONS, noisy, t, text: input("encoder_hidden_states") });
  const [, , frames = 0, height = 0, width = 0] = noisy.shape;
  const angles = anglesOf(grid(frames, height / 2, width / 2), wanRopeAxes(config.headDim), 10_000);
  return {
    outputs: {
      sample: () => velocity,
      rope_real: () => angles.table(Math.cos, 1),
      rope_imag: () => angles.table(Math.sin, 1),
    },
    parameter,
  };
}

/** Positions of a grid of patches, x fastest. */
function grid(frames: number, rows: number, columns: number, place: (position: Position) => Position = (p) => p) {
  const positions: Position[] = [];
  for (let t = 0; t < frames; t++)
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) positions.push(place([t, y, x]));
  return positions;
}

function anglesOf(positions: readonly Position[], axes: readonly number[], theta: number) {
  const angles = ropeAngles(positions, axes, theta);
  const pairs = angles.length / positions.length;
  return {
    /** Cosines or sines, each pair's value `times` times in a row. */
    table(wave: (angle: number) => number, times: number): Computed {
      const data = Float32Array.from({ length: angles.length * times }, (_, i) =>
        wave(angles[Math.floor(i / times)] ?? NaN),
      );
      return { shape: [positions.length, pairs * times], dtype: "f32", data };
    },
  };
}

/** What a convention of rotary tables says: the grid, the rotated pairs of each axis, the base, and how often a pair's value stands. */
interface RopeConvention {
  readonly positions: readonly Position[];
  readonly axes: readonly [number, number, number];
  readonly theta: number;
  readonly times: number;
}

const halved = (dims: readonly number[]): readonly [number, number, number] => [
  (dims[0] ?? 0) / 2,
  (dims[1] ?? 0) / 2,
  (dims[2] ?? 0) / 2,
];

/** Patches of a latent clip [frames, height, width]. */
function patchGrid(args: TorchArgs, [t, y, x]: readonly number[]): Position[] {
  const [frames = 0, height = 0, width = 0] = args.numbers("latent_shape_fhw");
  return grid(frames / (t ?? 1), height / (y ?? 1), width / (x ?? 1));
}

const conventions: Readonly<Record<string, (args: TorchArgs) => RopeConvention>> = {
  wan: (args) => ({
    positions: patchGrid(args, args.numbers("patch_size")),
    axes: wanRopeAxes(args.number("head_dim")),
    theta: args.number("theta"),
    times: 1,
  }),
  hunyuan: (args) => {
    const patch = args.number("patch_size");
    return {
      positions: patchGrid(args, [args.number("patch_size_t"), patch, patch]),
      axes: halved(args.numbers("rope_dim")),
      theta: args.number("theta"),
      times: 2,
    };
  },
  cogvideox: (args) => {
    const [rows = 0, columns = 0] = args.numbers("grid_size");
    const frames = args.number("temporal_size");
    // a list of two corners
    const [start = [0, 0], stop = [rows, columns]] = args.raw("crops_coords") as readonly (readonly number[])[];
    const along = (from = 0, to = 0, n: number, i: number): number =>
      from + (((to * (n - 1)) / n - from) * i) / Math.max(1, n - 1);
    const headDim = args.number("head_dim");
    const spatial = Math.floor(headDim / 8) * 3;
    return {
      // evenly from one corner of the crop to the last whole step before the other
      positions: grid(
        frames,
        rows,
        columns,
        (p) => p && [p[0], along(start[0], stop[0], rows, p[1]), along(start[1], stop[1], columns, p[2])],
      ),
      axes: halved([Math.floor(headDim / 4), spatial, spatial]),
      theta: args.number("theta"),
      times: 2,
    };
  },
};

function ropeTable({ args, optional }: ModelCase): ModelAnswer {
  const name = args.text("convention");
  const convention = Object.hasOwn(conventions, name) ? conventions[name]?.(args) : undefined;
  if (!convention) throw new SkippedCase(`the convention ${name} is not implemented`);
  const { positions, axes, theta, times } = convention;
  const angles = anglesOf(positions, axes, theta);
  const x = optional("x");
  const rotated = (heads: Tensor): Tensor => {
    // [B, H, M, headDim] as queries and keys both
    const tokens = heads.permute([0, 2, 1, 3]).unsqueeze(2).repeat(2, 2);
    const rope = rope3d(positions, { ropeAxes: axes, ropeTheta: theta }, "interleaved");
    return applyRope(tokens, null, rope).slice(2, 0, 1).squeeze(2).permute([0, 2, 1, 3]);
  };
  return {
    outputs: {
      cos: () => angles.table(Math.cos, times),
      sin: () => angles.table(Math.sin, times),
      ...(x && { rotated: () => rotated(x) }),
    },
  };
}

function embedding({ args, input }: ModelCase): ModelAnswer {
  const options = {
    dim: args.number("dim"),
    first: args.flag("flip_sin_to_cos") ? "cos" : "sin",
    shift: args.number("downscale_freq_shift", 1),
    maxPeriod: args.number("max_period", 10_000),
  } as const;
  return { outputs: { emb: () => timestepEmbedding(input("t"), options) } };
}

function positionTable({ args }: ModelCase): ModelAnswer {
  const size = args.numbers("spatial_size_wh");
  const [columns = 1, rows = columns] = size;
  const emb = (): Tensor =>
    sincosTable3d({
      dim: args.number("embed_dim"),
      frames: args.number("temporal_size"),
      rows,
      columns,
      patchStep: 1 / args.number("spatial_interpolation_scale", 1),
      frameStep: 1 / args.number("temporal_interpolation_scale", 1),
    });
  return { outputs: { emb } };
}
