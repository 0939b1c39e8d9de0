import { gpuConv, storesWholeConv } from "./conv-blocks.ts";
import { convDirectWgsl, type ConvPass, DIRECT_LANES } from "./conv-direct.wgsl.ts";
import { convFields, type ConvSpec, type Extent, volume } from "./conv-spec.ts";
import { convTileWgsl } from "./conv-tile.wgsl.ts";
import { convWeightTileWgsl } from "./conv-weight-tile.wgsl.ts";
import type { DeviceTraits, Program } from "./kernel.ts";
import { input, output, scratch, splitWorkgroups } from "./kernel.ts";
import { canFinish, chooseTile, matmulProgram, type MatmulSpec, tileName, tilesAround } from "./matmul.ts";
import { type Tile, tileWidth } from "./snippets/tile.ts";
import { range, uniformBlock } from "./snippets/uniforms.ts";
import { sumPartsLaunch } from "./sum-parts.wgsl.ts";
import { distinct, keyOf, tuned } from "./tuning.ts";

export type { ConvSpec, Extent } from "./conv-spec.ts";

/** Inputs 0 = x, 1 = w, 2 = bias when `spec.bias`, then what `spec.epilogue` reads; output 0 = y. See {@link ConvSpec} for layouts. Every size is at least 1. */
export function convForwardProgram(spec: ConvSpec, traits: DeviceTraits): Program {
  if (runsDirect(spec, traits)) return directConv(spec, "forward");
  const flat = flatMatmul(spec);
  if (flat) return matmulProgram(flat, traits);
  if (!traits.software) return gpuConv(spec, "forward", traits);
  return tunedConv(spec, "forward", spec.batch * volume(spec.output), traits);
}

/** Whether y's numbers are whole, and four channels at hand, where they are stored. */
export function canFinishConv(spec: ConvSpec, traits: DeviceTraits): boolean {
  if (runsDirect(spec, traits) || (spec.outChannels / spec.groups) % 4 !== 0) return false;
  const flat = flatMatmul(spec);
  if (flat) return canFinish(flat, traits);
  return traits.software || storesWholeConv(spec, traits);
}

/**
 * The gradient of x. Inputs 0 = dy, 1 = w with the channels of each tap swapped, [taps · outChannels / groups, inChannels], so that
 * neighbouring lanes read neighbouring weights; output 0 = dx, shaped as x.
 */
export function convInputGradProgram(spec: ConvSpec, traits: DeviceTraits): Program {
  if (runsDirect(spec, traits)) return directConv(spec, "input");
  if (!traits.software && volume(spec.stride) === 1) return gpuConv(spec, "input", traits);
  return tunedConv(spec, "input", spec.batch * volume(phaseExtent(spec)), traits);
}

/** The gradient of w. Inputs 0 = x, 1 = dy; output 0 = dw, shaped as w. Sums are split over pixels and added in order. */
export function convWeightGradProgram(spec: ConvSpec, traits: DeviceTraits): Program {
  if (runsDirect(spec, traits)) return directConv(spec, "weight");
  if (!traits.software) return gpuConv(spec, "weight", traits);
  const rows = volume(spec.kernel) * (spec.inChannels / spec.groups);
  const tile = chooseTile(rows, workOf(spec), traits);
  const candidates = tilesAround(tile, rows, traits).map((t) => ({
    name: tileName(t),
    program: () => tiledConvWeight(spec, t, 8),
  }));
  return tuned(keyOf("conv.weight", spec), distinct(candidates), traits);
}

function tunedConv(spec: ConvSpec, pass: "forward" | "input", rows: number, traits: DeviceTraits): Program {
  const candidates = tilesAround(chooseTile(rows, workOf(spec), traits), rows, traits).map((tile) => ({
    name: tileName(tile),
    program: () => tiledConv(spec, pass, tile),
  }));
  return tuned(keyOf(`conv.${pass}`, spec), distinct(candidates), traits);
}

/**
 * Groups too narrow for a tile of four channels by a workgroup's lanes; and, on software adapters, channels that are no multiple of four: SwiftShader
 * takes minutes to compile the tiles' scalar loads.
 */
function runsDirect(spec: ConvSpec, traits: DeviceTraits): boolean {
  const [cin, cout] = [spec.inChannels / spec.groups, spec.outChannels / spec.groups];
  if (spec.groups > 1 && (cin < 4 || cout < 4)) return true;
  return traits.software && (cin % 4 !== 0 || cout % 4 !== 0);
}

const workOf = (spec: ConvSpec): number =>
  spec.batch * volume(spec.output) * volume(spec.kernel) * (spec.inChannels / spec.groups) * spec.outChannels;

/**
 * A window over one axis without padding or dilation is a matrix whose rows overlap in memory, and a single tap is a plain
 * matrix: both are matmuls on x itself.
 */
function flatMatmul(spec: ConvSpec): MatmulSpec | null {
  const { kernel, stride, padding, dilation, batch, inChannels, outChannels } = spec;
  const plain = spec.groups === 1 && padding.every((value) => value === 0);
  const inside = [0, 1, 2].every((axis) => reach(spec, axis) <= (spec.input[axis] ?? 1));
  if (!plain || !inside) return null;
  const { bias = false, epilogue } = spec;
  const more = { bias, ...(epilogue && { epilogue }) };
  const b = { offset: 0, batchStrides: [0, 0] as const, rowStride: outChannels, colStride: 1 };
  if (volume(kernel) === 1 && volume(stride) === 1) {
    const pixels = batch * volume(spec.output);
    if (volume(spec.output) !== volume(spec.input)) return null;
    const a = { offset: 0, batchStrides: [0, 0] as const, rowStride: inChannels, colStride: 1 };
    return { m: pixels, n: outChannels, k: inChannels, batch: [1, 1], a, b, ...more };
  }
  const oneAxis = spec.input[0] === 1 && spec.input[1] === 1 && (dilation[2] === 1 || kernel[2] === 1);
  if (!oneAxis) return null;
  const a = {
    offset: 0,
    batchStrides: [0, spec.input[2] * inChannels] as const,
    rowStride: stride[2] * inChannels,
    colStride: 1,
  };
  return { m: spec.output[2], n: outChannels, k: kernel[2] * inChannels, batch: [1, batch], a, b, ...more };
}

/** Input positions the windows along an axis span. */
function reach(spec: ConvSpec, axis: number): number {
  const at = (extent: Extent) => extent[axis] ?? 1;
  return (at(spec.output) - 1) * at(spec.stride) + (at(spec.kernel) - 1) * at(spec.dilation) + 1;
}

/** Pixels of one stride phase along each axis, the largest phase. */
function phaseExtent({ input: [d, h, w], stride }: ConvSpec): Extent {
  return [Math.ceil(d / stride[0]), Math.ceil(h / stride[1]), Math.ceil(w / stride[2])];
}

/** The implicit-GEMM family at a given tile. */
export function tiledConv(spec: ConvSpec, pass: "forward" | "input", tile: Tile): Program {
  const forward = pass === "forward";
  const leftGroup = (forward ? spec.inChannels : spec.outChannels) / spec.groups;
  const columns = (forward ? spec.outChannels : spec.inChannels) / spec.groups;
  const rowExtent = forward ? spec.output : phaseExtent(spec);
  const rows = spec.batch * volume(rowExtent);
  const phases = forward ? 1 : volume(spec.stride);
  const width = tileWidth(tile);
  const tilesM = Math.ceil(rows / tile.rows);
  const tilesN = Math.ceil(columns / width);
  const tiles = tilesM * tilesN * spec.groups * phases;
  const workgroups = splitWorkgroups(tiles);
  const steps = Math.min(4, leftGroup);
  const bias = forward && spec.bias === true;
  const block = uniformBlock({
    ...convFields(spec),
    rows,
    rows_d: rowExtent[0],
    rows_h: rowExtent[1],
    rows_w: rowExtent[2],
    groups: spec.groups,
    tile_rows: tile.rows,
    tiles,
    tiles_m: tilesM,
    tiles_n: tilesN,
    n_last: Math.floor((columns - 1) / 4) * 4,
  });
  const wgsl = convTileWgsl(
    {
      ...tile,
      pass,
      steps,
      leftVector: leftGroup % 4 === 0,
      resultVector: columns % 4 === 0,
      bias,
      epilogue: spec.epilogue ?? null,
      phased: phases > 1,
      edgeRows: rows % tile.rows !== 0,
      edgeColumns: columns % width !== 0,
      edgeChannels: leftGroup % steps !== 0,
      edgeGrid: workgroups[1] > 1,
    },
    block.declare,
  );
  const reads = 2 + (bias ? 1 : 0) + (spec.epilogue?.reads ?? 0);
  const bindings = [...range(reads).map(input), output(0)];
  return { launches: [{ label: `conv.${pass}`, wgsl, bindings, uniforms: block.words, workgroups }], scratch: [] };
}

/** The weight gradient at a given tile, split over pixels until there are `wanted` workgroups. */
export function tiledConvWeight(spec: ConvSpec, tile: Tile, wanted: number): Program {
  const cin = spec.inChannels / spec.groups;
  const cout = spec.outChannels / spec.groups;
  const rows = volume(spec.kernel) * cin;
  const pixels = spec.batch * volume(spec.output);
  const width = tileWidth(tile);
  const tilesM = Math.ceil(rows / tile.rows);
  const tilesN = Math.ceil(cout / width);
  const splits = Math.max(1, Math.min(Math.ceil(wanted / (tilesM * tilesN * spec.groups)), Math.floor(pixels / 256)));
  const chunk = Math.ceil(pixels / splits / 4) * 4;
  const parts = Math.ceil(pixels / chunk);
  const tiles = tilesM * tilesN * spec.groups * parts;
  const workgroups = splitWorkgroups(tiles);
  const block = uniformBlock({
    ...convFields(spec),
    rows,
    pixels,
    chunk,
    groups: spec.groups,
    tile_rows: tile.rows,
    tiles,
    tiles_m: tilesM,
    tiles_n: tilesN,
    n_last: Math.floor((cout - 1) / 4) * 4,
  });
  const wgsl = convWeightTileWgsl(
    {
      ...tile,
      leftVector: cin % 4 === 0,
      rightVector: cout % 4 === 0,
      edgeRows: rows % tile.rows !== 0,
      edgeColumns: cout % width !== 0,
      edgeGrid: workgroups[1] > 1,
    },
    block.declare,
  );
  const target = parts === 1 ? output(0) : scratch(0, "read_write");
  const first = {
    label: "conv.weight",
    wgsl,
    bindings: [input(0), input(1), target],
    uniforms: block.words,
    workgroups,
  };
  if (parts === 1) return { launches: [first], scratch: [] };
  const size = rows * spec.outChannels;
  const sum = sumPartsLaunch({
    label: "conv.weight.sum",
    layers: 1,
    parts,
    size,
    width: size,
    source: scratch(0, "read"),
    target: output(0),
  });
  return { launches: [first, sum], scratch: [size * parts * 4] };
}

/** The family for groups of few channels. */
export function directConv(spec: ConvSpec, pass: ConvPass): Program {
  const sizes = {
    forward: spec.batch * volume(spec.output) * spec.outChannels,
    input: spec.batch * volume(spec.input) * spec.inChannels,
    weight: volume(spec.kernel) * (spec.inChannels / spec.groups) * spec.outChannels,
  };
  const size = sizes[pass];
  const bias = pass === "forward" && spec.bias === true;
  const block = uniformBlock({ ...convFields(spec), size });
  return {
    launches: [
      {
        label: `conv.direct.${pass}`,
        wgsl: convDirectWgsl(pass, bias, block.declare),
        bindings: [input(0), input(1), ...(bias ? [input(2)] : []), output(0)],
        uniforms: block.words,
        workgroups: splitWorkgroups(Math.ceil(size / DIRECT_LANES)),
      },
    ],
    scratch: [],
  };
}
