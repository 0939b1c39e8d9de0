import { type Block, blockBytes, blockLanes, blocksWgsl, DEPTH, gridFields } from "./blocks.wgsl.ts";
import type { Epilogue } from "./epilogue.ts";
import type { DeviceTraits, Program } from "./kernel.ts";
import { input, output, scratch, splitWorkgroups } from "./kernel.ts";
import { isVector, type MatmulSpec, type Operand, unitAxis } from "./matmul-spec.ts";
import { matvecWgsl } from "./matvec.wgsl.ts";
import { sumPartsLaunch } from "./sum-parts.wgsl.ts";
import { matrixQuads, matrixStorage, type MatrixText } from "./snippets/quads.ts";
import { storedReader } from "./snippets/stored.ts";
import { binding, range, storage, uniformBlock } from "./snippets/uniforms.ts";
import { type Candidate, keyOf, tuned } from "./tuning.ts";

/** Workgroups of 256 lanes that fill a GPU, about: 100 cores with two each. */
const FULL = 200;

/** Steps of k below which a part of a split sum is not worth its second launch. */
const SHORTEST_PART = 256;

/**
 * Blocks with their cost for each multiply-add, relative. No GPU has timed them: the cost follows the vectors read from workgroup memory for
 * each vector multiplied and added, 4 of 16, 3 of 8 and 2 of 4.
 */
const BLOCKS: readonly (readonly [block: Omit<Block, "double">, cost: number])[] = [
  [{ rows: 128, columns: 128, laneRows: 8, laneColumns: 8 }, 1],
  [{ rows: 64, columns: 64, laneRows: 8, laneColumns: 4 }, 1.4],
  [{ rows: 32, columns: 32, laneRows: 4, laneColumns: 4 }, 2],
];

/** Multiply-adds of a whole GPU in the time that it writes a number of a part and reads it again. */
const PART_COST = 80;

/** A block and the parts k is split into. */
interface BlockChoice {
  readonly block: Block;
  readonly splits: number;
  readonly time: number;
}

/**
 * Blocks, the cheapest first, for `layers` products of m × n × k: multiply-adds, also those past the edges, times the block's cost, over the share of
 * a GPU that the blocks and the parts of k fill, and what the parts' sum costs.
 */
export function chooseBlocks(m: number, n: number, k: number, layers: number, traits: DeviceTraits): BlockChoice[] {
  const fits = (block: Block) =>
    blockLanes(block) <= traits.maxWorkgroupSize && blockBytes(block) <= traits.maxWorkgroupStorage;
  const choices = BLOCKS.flatMap(([size, cost]) => {
    const block = [true, false].map((double) => ({ ...size, double })).find(fits);
    if (!block) return [];
    const blocks = Math.ceil(m / block.rows) * Math.ceil(n / block.columns) * layers;
    const wanted = (FULL * 256) / blockLanes(block);
    const splits = splitsOf(k, blocks, wanted);
    const work = blocks * block.rows * block.columns * k * cost;
    const sum = splits === 1 ? 0 : m * n * layers * splits * PART_COST;
    return [{ block, splits, time: work / Math.min(1, (blocks * splits) / wanted) + sum }];
  });
  return choices.sort((one, other) => one.time - other.time);
}

/** What may be timed: each block at its parts of k, the cheapest first; where there is an epilogue, those that store whole sums. */
export const blockCandidates = (
  choices: readonly BlockChoice[],
  epilogue: Epilogue | undefined,
  programOf: (block: Block, splits: number) => Program,
): Candidate[] =>
  choices
    .filter(({ splits }) => splits === 1 || !epilogue)
    .map(({ block, splits }) => ({
      name: `${block.rows}x${block.columns}/${splits}`,
      program: () => programOf(block, splits),
    }));

const splitsOf = (k: number, workgroups: number, wanted: number): number =>
  Math.max(1, Math.min(Math.ceil(wanted / workgroups), Math.floor(k / SHORTEST_PART)));

/** Length and number of the parts of k; all but the last are whole stages. */
export function partsOf(k: number, splits: number): { chunk: number; parts: number } {
  const chunk = Math.ceil(k / splits / DEPTH) * DEPTH;
  return { chunk, parts: Math.ceil(k / chunk) };
}

/** The product for GPUs: by blocks in workgroup memory, or one pass over the matrix where the other operand is a vector. */
export function gpuMatmul(spec: MatmulSpec, traits: DeviceTraits): Program {
  const { m, n, k, batch } = spec;
  const layers = batch[0] * batch[1];
  if (m === 1 || n === 1) return matvec(spec, Math.min(256, traits.maxWorkgroupSize));
  const choices = chooseBlocks(m, n, k, layers, traits);
  const candidates = blockCandidates(choices, spec.epilogue, (block, splits) => blockedMatmul(spec, block, splits));
  return tuned(keyOf("matmul.blocks", spec), candidates, traits);
}

/** Whether the chosen block stores whole sums, so that an epilogue may be applied. */
export const storesWhole = (m: number, n: number, k: number, layers: number, traits: DeviceTraits): boolean =>
  chooseBlocks(m, n, k, layers, traits)[0]?.splits === 1;

/** The family of blocks: one launch, or two when k is split. */
export function blockedMatmul(spec: MatmulSpec, block: Block, splits: number): Program {
  const { m, n, k, batch } = spec;
  const { chunk, parts } = partsOf(k, splits);
  const tilesM = Math.ceil(m / block.rows);
  const tilesN = Math.ceil(n / block.columns);
  const tiles = tilesM * tilesN * batch[0] * batch[1] * parts;
  const workgroups = splitWorkgroups(tiles);
  const scale = spec.scale === true;
  const bias = spec.bias === true && parts === 1;
  const a = matrixText("a", spec, m % block.rows !== 0);
  const b = matrixText("b", spec, n % block.columns !== 0);
  const uniforms = uniformBlock({
    m,
    n,
    ...commonFields(spec),
    ...operandFields("a", spec.a),
    ...operandFields("b", spec.b),
    ...gridFields({ tiles, tilesM, tilesN, parts, chunk }),
    ...spec.epilogue?.fields,
  });
  const vectors = vectorsOf(scale, bias);
  const vector = n % 4 === 0;
  const at = 2 + vectors.length + (spec.epilogue?.reads ?? 0);
  const wgsl = blocksWgsl({
    ...block,
    a: matrixQuads(a),
    b: matrixQuads(b),
    declare: `${declareMatrices(a, b)}${declareVectors(vectors)}${storage(at, "c", "read_write", vector)}${uniforms.declare(at + 1)}${spec.epilogue?.wgsl ?? ""}`,
    begin: bases("a", "b"),
    rowLimit: a.edgeSide ? "u.m" : null,
    columnLimit: b.edgeSide ? "u.n" : null,
    rowAt: (row) => `(layer * u.m + ${row}) * u.n`,
    vector,
    finish: spec.epilogue !== undefined,
    scale,
    bias,
    vectorAt: (column) => column,
    edgeGrid: workgroups[1] > 1,
  });
  return inParts(spec, parts, { label: "matmul", wgsl, uniforms: uniforms.words, workgroups });
}

/** A vector times a matrix, `m` or `n` is one, by workgroups of at most `mostLanes`. */
export function matvec(spec: MatmulSpec, mostLanes: number): Program {
  const { k, batch } = spec;
  const row = spec.m === 1;
  const rows = row ? spec.n : spec.m;
  const [name, other] = row ? (["b", "a"] as const) : (["a", "b"] as const);
  // Neighbouring lanes read neighbouring memory: along k, or along the result.
  const matrix: MatrixText = { ...matrixText(name, spec, true), side: "rows", edgeK: k % 4 !== 0 };
  const quads = matrix.unit === "k" ? 1 : 8;
  // Four rounds a lane or more, as far as a workgroup of 32 has work for its lanes.
  const lanes = 2 ** Math.floor(Math.log2(Math.min(mostLanes, Math.max(32, (quads * k) / 16))));
  const tiles = Math.ceil(rows / (4 * quads));
  const layers = batch[0] * batch[1];
  const { chunk, parts } = partsOf(k, splitsOf(k, tiles * layers, (FULL * 256) / lanes));
  const workgroups = splitWorkgroups(tiles * layers * parts);
  const scale = spec.scale === true;
  const bias = spec.bias === true && parts === 1;
  const vector = row ? spec.a : spec.b;
  const stride = row ? vector.colStride : vector.rowStride;
  const vectorQuads =
    stride === 1 &&
    (vector.stored === "int8" || [vector.offset, ...vector.batchStrides, k].every((value) => value % 4 === 0));
  const uniforms = uniformBlock({
    rows,
    ...commonFields(spec),
    ...operandFields(name, spec[name]),
    ...operandFields(other, vector),
    v_stride: stride,
    tiles: tiles * layers * parts,
    tiles_n: tiles,
    splits: parts,
    k_chunk: chunk,
  });
  const reader = storedReader(other, vector.stored ?? "f32", vectorQuads);
  const stored = matrixStorage(matrix);
  const vectors = vectorsOf(scale, bias);
  const at = 2 + vectors.length;
  const wgsl = matvecWgsl({
    lanes,
    quads,
    matrix: matrixQuads(matrix),
    vector: reader,
    vectorQuads,
    declare: [
      binding(row ? 1 : 0, name, "read", stored.type),
      binding(row ? 0 : 1, other, "read", reader.type),
      declareVectors(vectors),
      storage(at, "c", "read_write", false),
      uniforms.declare(at + 1),
      stored.functions,
      reader.functions === stored.functions ? "" : reader.functions,
    ].join(""),
    begin: `${bases("a", "b")}  let v_base = ${other}_base;\n`,
    edgeK: k % 4 !== 0,
    scale,
    bias,
    oneColumn: !row,
    edgeGrid: workgroups[1] > 1,
  });
  return inParts(spec, parts, { label: "matmul.vector", wgsl, uniforms: uniforms.words, workgroups });
}

type Part = Pick<Program["launches"][number], "label" | "wgsl" | "uniforms" | "workgroups">;

/** The launch, and where k is split the one that adds its parts and the bias. */
function inParts({ m, n, batch, scale, bias, epilogue }: MatmulSpec, parts: number, part: Part): Program {
  const inputs = [0, 1, ...(scale ? [2] : [])];
  const biasInput = input(inputs.length);
  const whole = parts === 1;
  const bindings = [
    ...inputs.map(input),
    ...(bias && whole ? [biasInput] : []),
    ...range(epilogue?.reads ?? 0).map((i) => input(inputs.length + (bias ? 1 : 0) + i)),
    whole ? output(0) : scratch(0, "read_write"),
  ];
  const first = { ...part, bindings };
  if (whole) return { launches: [first], scratch: [] };
  const layers = batch[0] * batch[1];
  const sum = sumPartsLaunch({
    label: `${part.label}.sum`,
    layers,
    parts,
    size: m * n,
    width: n,
    source: scratch(0, "read"),
    target: output(0),
    ...(bias ? { bias: biasInput } : {}),
  });
  return { launches: [first, sum], scratch: [layers * m * n * parts * 4] };
}

function matrixText(name: "a" | "b", spec: MatmulSpec, edgeSide: boolean): MatrixText {
  const operand = spec[name];
  const side = name === "a" ? "m" : "n";
  const unit = (unitAxis(operand) === "col") === (name === "a") ? "k" : "side";
  const extent = unit === "k" ? spec.k : spec[side];
  return {
    name,
    side,
    unit,
    stored: operand.stored ?? "f32",
    vector: isVector(operand, extent, unitAxis(operand) === "row"),
    edgeSide,
    edgeK: spec.k % DEPTH !== 0,
  };
}

const commonFields = ({ k, batch }: MatmulSpec): Record<string, number> => ({ k, batch1: batch[1] });

const operandFields = (name: "a" | "b", operand: Operand): Record<string, number> => ({
  [`${name}_offset`]: operand.offset,
  [`${name}_batch0`]: operand.batchStrides[0],
  [`${name}_batch1`]: operand.batchStrides[1],
  [`${name}_stride`]: unitAxis(operand) === "col" ? operand.rowStride : operand.colStride,
});

const bases = (...names: readonly string[]): string =>
  `  let b0 = outer / u.batch1;\n  let b1 = outer % u.batch1;\n${names
    .map((name) => `  let ${name}_base = u.${name}_offset + b0 * u.${name}_batch0 + b1 * u.${name}_batch1;\n`)
    .join("")}`;

const vectorsOf = (scale: boolean, bias: boolean): string[] => [...(scale ? ["scale"] : []), ...(bias ? ["bias"] : [])];

const declareVectors = (names: readonly string[]): string =>
  names.map((name, i) => storage(2 + i, name, "read", false)).join("");

/** Bindings 0 and 1 with the functions that read them. */
function declareMatrices(a: MatrixText, b: MatrixText): string {
  const [left, right] = [matrixStorage(a), matrixStorage(b)];
  return [
    binding(0, "a", "read", left.type),
    binding(1, "b", "read", right.type),
    left.functions,
    right.functions === left.functions ? "" : right.functions,
  ].join("");
}
