import {
  attentionKeyValueGradWgsl,
  attentionQueryGradWgsl,
  attentionStatsWgsl,
  STATS_ROWS,
} from "./attention-backward.wgsl.ts";
import { attentionForwardWgsl } from "./attention-forward.wgsl.ts";
import { type MaskKind, tileRows } from "./attention-scores.ts";
import { type AttentionSpec, headFields, type HeadRows, rowsAligned } from "./attention-spec.ts";
import type { DeviceTraits, Launch, Program } from "./kernel.ts";
import { floatWord, input, output, scratch, splitWorkgroups } from "./kernel.ts";
import type { HeadTile } from "./snippets/head-tile.ts";
import { range, uniformBlock } from "./snippets/uniforms.ts";
import { type Candidate, keyOf, tuned } from "./tuning.ts";

export type { AttentionSpec, HeadRows, MaskView } from "./attention-spec.ts";

/** Multiply-adds a lane may hold in a round: a kernel's products · columns · rows · head width. Compilers take seconds for more. */
const ROUND = 512;

/**
 * Attention in O(N) memory. Inputs 0 = q, 1 = k, 2 = v, 3 = mask when `spec.mask`, then the ids when `spec.segments`; outputs 0 = o as [batch, queries, heads, headDim],
 * 1 = lse [batch, heads, queries], the logarithm of each row's sum of exponentials. Every size is at least 1.
 */
export function attentionForwardProgram(spec: AttentionSpec, traits: DeviceTraits): Program {
  const candidates = headShapes(spec, 2).map((shape): Candidate => ({
    name: nameOf(shape),
    program: () => forwardProgram(spec, traits, shape),
  }));
  return tuned(keyOf("attention", spec), candidates, traits);
}

function forwardProgram(spec: AttentionSpec, traits: DeviceTraits, shape: HeadShape | null): Program {
  const head = chooseHeadTile(spec, traits, [spec.q, spec.k, spec.v], 2, shape);
  const mask = maskKind(spec);
  const segments = spec.segments ?? false;
  const tiles = Math.ceil(spec.queries / tileRows(head)) * spec.batch * spec.heads;
  const workgroups = splitWorkgroups(tiles);
  const block = uniformBlock({
    ...attentionFields(spec),
    ...headFields("q", spec.q),
    ...headFields("k", spec.k),
    ...headFields("v", spec.v),
    q_last: lastElement(spec, spec.q, spec.queries),
    k_last: lastElement(spec, spec.k, spec.keys),
    v_last: lastElement(spec, spec.v, spec.keys),
    own: head.quads * head.columns,
    tiles,
  });
  const wgsl = attentionForwardWgsl(
    { ...head, mask, causal: spec.causal ?? false, segments, edgeGrid: workgroups[1] > 1 },
    block.declare,
  );
  const read = 3 + (spec.mask ? 1 : 0) + (segments ? 1 : 0);
  const bindings = [...range(read).map(input), output(0), output(1)];
  return { launches: [{ label: "attention", wgsl, bindings, uniforms: block.words, workgroups }], scratch: [] };
}

/** Attention and the layout of the gradient of its result. */
export interface AttentionGradSpec extends AttentionSpec {
  readonly dO: HeadRows;
}

/**
 * Gradients of attention in O(N) memory and always the same bits: scores are made again, once a lane owning queries and once owning
 * keys, so that no sum crosses lanes.
 *
 * Inputs 0 = q, 1 = k, 2 = v, 3 = o and 4 = lse as the forward pass wrote them, 5 = the gradient of o, 6 = mask when `spec.mask`, then the ids when
 * `spec.segments`.
 * Outputs 0 = dq, 1 = dk, 2 = dv, each [batch, rows, heads, headDim] contiguous.
 */
export function attentionBackwardProgram(spec: AttentionGradSpec, traits: DeviceTraits): Program {
  const candidates = headShapes(spec, 3).map((shape): Candidate => ({
    name: nameOf(shape),
    program: () => backwardProgram(spec, traits, shape),
  }));
  return tuned(keyOf("attention.gradient", spec), candidates, traits);
}

function backwardProgram(spec: AttentionGradSpec, traits: DeviceTraits, shape: HeadShape | null): Program {
  const operands = [spec.q, spec.k, spec.v, spec.dO];
  const mask = maskKind(spec);
  const segments = spec.segments ?? false;
  const rows = spec.batch * spec.heads * spec.queries;
  const ids = segments ? spec.batch * (spec.queries + spec.keys) : 0;
  const fields = {
    ...attentionFields(spec),
    ...headFields("q", spec.q),
    ...headFields("k", spec.k),
    ...headFields("v", spec.v),
    ...headFields("g", spec.dO),
    q_last: lastElement(spec, spec.q, spec.queries),
    k_last: lastElement(spec, spec.k, spec.keys),
    v_last: lastElement(spec, spec.v, spec.keys),
    g_last: lastElement(spec, spec.dO, spec.queries),
  };
  const statsBlock = uniformBlock({ ...fields, rows, ids });
  const stats: Launch = {
    label: "attention.stats",
    wgsl: attentionStatsWgsl(isVector(spec, operands), segments, statsBlock.declare),
    bindings: [...[3, 5, 4].map(input), scratch(0, "read_write"), ...(segments ? [input(spec.mask ? 7 : 6)] : [])],
    uniforms: statsBlock.words,
    workgroups: splitWorkgroups(Math.ceil(Math.max(rows, ids) / STATS_ROWS)),
  };
  const gradient = (
    label: string,
    count: number,
    wgslOf: typeof attentionQueryGradWgsl,
    outputs: readonly number[],
  ): Launch => {
    const head = chooseHeadTile(spec, traits, operands, 2 + outputs.length, shape);
    const tiles = Math.ceil(count / tileRows(head)) * spec.batch * spec.heads;
    const workgroups = splitWorkgroups(tiles);
    const block = uniformBlock({ ...fields, own: head.quads * head.columns, tiles });
    return {
      label,
      wgsl: wgslOf(
        { ...head, mask, causal: spec.causal ?? false, segments, edgeGrid: workgroups[1] > 1 },
        block.declare,
      ),
      bindings: [
        input(0),
        input(1),
        input(2),
        input(5),
        scratch(0, "read"),
        ...(spec.mask ? [input(6)] : []),
        ...outputs.map(output),
      ],
      uniforms: block.words,
      workgroups,
    };
  };
  return {
    launches: [
      stats,
      gradient("attention.dq", spec.queries, attentionQueryGradWgsl, [0]),
      gradient("attention.dkv", spec.keys, attentionKeyValueGradWgsl, [1, 2]),
    ],
    scratch: [(rows + ids) * 8],
  };
}

/** Rows of a lane's own, and of the other side a round. */
type HeadShape = Pick<HeadTile, "columns" | "rows">;

const nameOf = (shape: HeadShape | null): string => (shape ? `${shape.columns}x${shape.rows}` : "chosen");

/** Whether straight-line code for a whole head is too long for compilers, or no faster: attention over 512 tokens, lavapipe. */
const isWide = ({ headDim }: AttentionSpec): boolean => headDim > 128;

const roundFits = (spec: AttentionSpec, products: number, { columns, rows }: HeadShape): boolean =>
  !isWide(spec) && products * columns * rows * Math.ceil(spec.headDim / 4) * 4 <= ROUND;

/** The chooser's shape, null, and what is worth timing beside it. */
const headShapes = (spec: AttentionSpec, products: number): readonly (HeadShape | null)[] => [
  null,
  ...[1, 2, 4]
    .flatMap((columns) => [1, 2, 4].map((rows) => ({ columns, rows })))
    .filter((shape) => roundFits(spec, products, shape)),
];

/** The tile of a kernel that makes `products` products of heads a round, of the shape given where it fits. */
function chooseHeadTile(
  spec: AttentionSpec,
  traits: DeviceTraits,
  operands: readonly HeadRows[],
  products: number,
  shape: HeadShape | null,
): HeadTile {
  const subgroups = traits.subgroups && traits.subgroupMinSize >= 4;
  const lanes = subgroups ? Math.min(traits.subgroupMinSize, 8) : 8;
  const common = { lanes, share: subgroups ? lanes : 1, vector: isVector(spec, operands) };
  if (isWide(spec)) return { ...common, ...wideShape(spec, products, subgroups), quads: 1, wide: true };
  const head = { ...common, quads: Math.ceil(spec.headDim / 4), wide: false };
  if (shape && roundFits(spec, products, shape)) return { ...head, ...shape };
  const fits = (columns: number, rows: number): boolean => roundFits(spec, products, { columns, rows });
  const columns = [4, 2].find((n) => fits(n, 1)) ?? 1;
  // without subgroups every lane loads all of a round
  return { ...head, columns, rows: subgroups && fits(columns, 2) ? 2 : 1 };
}

/** Own rows are read and sums are written once a round: it is as long as compilers bear what is done for each score. */
function wideShape({ mask, causal, segments }: AttentionSpec, products: number, subgroups: boolean): HeadShape {
  const bare = !mask && causal !== true && segments !== true;
  const both = products > 3;
  // without subgroups every lane loads all of a round
  const rows = both || !bare ? 8 : 16;
  return { columns: both && !bare ? 1 : 2, rows: subgroups ? rows : 4 };
}

const isVector = (spec: AttentionSpec, operands: readonly HeadRows[]): boolean =>
  spec.headDim % 4 === 0 && operands.every(rowsAligned);

const maskKind = ({ mask }: AttentionSpec): MaskKind => (!mask ? "none" : mask.strides[2] === 0 ? "key" : "full");

function attentionFields(spec: AttentionSpec): Record<string, number> {
  const { mask } = spec;
  return {
    batch: spec.batch,
    heads: spec.heads,
    queries: spec.queries,
    keys: spec.keys,
    dim: spec.headDim,
    dim_last: Math.floor((spec.headDim - 1) / 4) * 4,
    scale: floatWord(spec.scale),
    mask_offset: mask?.offset ?? 0,
    mask_batch: mask?.strides[0] ?? 0,
    mask_head: mask?.strides[1] ?? 0,
    mask_query: mask?.strides[2] ?? 0,
    mask_key: mask?.strides[3] ?? 0,
  };
}

/** Index of an operand's last element, to which unaligned reads past a row are held. */
const lastElement = (spec: AttentionSpec, rows: HeadRows, count: number): number =>
  rows.offset +
  (spec.batch - 1) * rows.batchStride +
  (spec.heads - 1) * rows.headStride +
  (count - 1) * rows.rowStride +
  spec.headDim -
  1;
