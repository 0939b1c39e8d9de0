import { type Block, blocksWgsl, DEPTH, gridFields } from "./blocks.wgsl.ts";
import type { ConvPass } from "./conv-direct.wgsl.ts";
import { convFields, type ConvSpec, volume } from "./conv-spec.ts";
import type { DeviceTraits, Program } from "./kernel.ts";
import { input, output, scratch, splitWorkgroups } from "./kernel.ts";
import { blockCandidates, chooseBlocks, partsOf, storesWhole } from "./matmul-blocks.ts";
import { matrixQuads, matrixStorage, type MatrixText } from "./snippets/quads.ts";
import { range, storage, uniformBlock } from "./snippets/uniforms.ts";
import { windowQuads } from "./snippets/window-quads.ts";
import { sumPartsLaunch } from "./sum-parts.wgsl.ts";
import { keyOf, tuned } from "./tuning.ts";

/** A pass as a product [rows, k] · [k, columns] for each group. */
function productOf(spec: ConvSpec, pass: ConvPass): { rows: number; columns: number; k: number } {
  const [cin, cout] = [spec.inChannels / spec.groups, spec.outChannels / spec.groups];
  const taps = volume(spec.kernel);
  if (pass === "forward") return { rows: spec.batch * volume(spec.output), columns: cout, k: taps * cin };
  if (pass === "input") return { rows: spec.batch * volume(spec.input), columns: cin, k: taps * cout };
  return { rows: taps * cin, columns: cout, k: spec.batch * volume(spec.output) };
}

/** Implicit products for GPUs; the gradient of x only where strides are one, or most products would be with zero. */
export function gpuConv(spec: ConvSpec, pass: ConvPass, traits: DeviceTraits): Program {
  const { rows, columns, k } = productOf(spec, pass);
  const choices = chooseBlocks(rows, columns, k, spec.groups, traits);
  const candidates = blockCandidates(choices, spec.epilogue, (block, splits) => blockedConv(spec, pass, block, splits));
  return tuned(keyOf(`conv.${pass}.blocks`, spec), candidates, traits);
}

/** Whether the forward pass stores whole sums. */
export function storesWholeConv(spec: ConvSpec, traits: DeviceTraits): boolean {
  const { rows, columns, k } = productOf(spec, "forward");
  return storesWhole(rows, columns, k, spec.groups, traits);
}

/** A pass at a given block: one launch, or two when k is split. */
export function blockedConv(spec: ConvSpec, pass: ConvPass, block: Block, splits: number): Program {
  const { rows, columns, k } = productOf(spec, pass);
  const { chunk, parts } = partsOf(k, splits);
  const tilesM = Math.ceil(rows / block.rows);
  const tilesN = Math.ceil(columns / block.columns);
  const tiles = tilesM * tilesN * spec.groups * parts;
  const workgroups = splitWorkgroups(tiles);
  const bias = pass === "forward" && spec.bias === true;
  const width = columns * spec.groups;
  const side = pass === "input" ? "cin_group" : "cout_group";
  const leftGroup = (pass === "input" ? spec.outChannels : spec.inChannels) / spec.groups;
  const vector = columns % 4 === 0;
  const edgeK = k % DEPTH !== 0;
  const leftVector = leftGroup % 4 === 0;
  const b: MatrixText = {
    name: "b",
    side,
    unit: "side",
    stored: "f32",
    vector,
    edgeSide: columns % block.columns !== 0,
    edgeK,
  };
  const uniforms = uniformBlock({
    ...convFields(spec),
    rows,
    k,
    b_stride: width,
    ...gridFields({ tiles, tilesM, tilesN, parts, chunk }),
  });
  const biasNow = bias && parts === 1;
  const reads = spec.epilogue?.reads ?? 0;
  const vectors = biasNow ? 1 : 0;
  const at = 2 + vectors + reads;
  const wgsl = blocksWgsl({
    ...block,
    a: windowQuads({ pass, vector: leftVector, edgeK }),
    b: matrixQuads(b),
    declare: [
      storage(0, "a", "read", leftVector),
      storage(1, "b", "read", matrixStorage(b).type !== "f32"),
      biasNow ? storage(2, "bias", "read", false) : "",
      storage(at, "c", "read_write", vector),
      uniforms.declare(at + 1),
      spec.epilogue?.wgsl ?? "",
    ].join(""),
    begin: `  let b_base = outer * u.${side};\n  let a_first = outer * u.${pass === "input" ? "cout" : "cin"}_group;\n`,
    rowLimit: rows % block.rows === 0 ? null : "u.rows",
    columnLimit: b.edgeSide ? `u.${side}` : null,
    rowAt: (row) => `(part * u.rows + ${row}) * u.b_stride + b_base`,
    vector,
    finish: spec.epilogue !== undefined,
    scale: false,
    bias: biasNow,
    vectorAt: (column) => `b_base + ${column}`,
    edgeGrid: workgroups[1] > 1,
  });
  const whole = parts === 1;
  const first = {
    label: `conv.${pass}`,
    wgsl,
    bindings: [...range(2 + vectors + reads).map(input), whole ? output(0) : scratch(0, "read_write")],
    uniforms: uniforms.words,
    workgroups,
  };
  if (whole) return { launches: [first], scratch: [] };
  const size = rows * width;
  const sum = sumPartsLaunch({
    label: `conv.${pass}.sum`,
    layers: 1,
    parts,
    size,
    width,
    source: scratch(0, "read"),
    target: output(0),
    ...(bias ? { bias: input(2) } : {}),
  });
  return { launches: [first, sum], scratch: [size * parts * 4] };
}
