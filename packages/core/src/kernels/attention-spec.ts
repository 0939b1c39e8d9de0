/** Rows of one head inside a buffer: element (b, h, n, d) lies at offset + b·batchStride + h·headStride + n·rowStride + d. */
export interface HeadRows {
  readonly offset: number;
  readonly batchStride: number;
  readonly headStride: number;
  readonly rowStride: number;
}

/** Element (b, h, q, k) of an additive mask; a stride of 0 repeats it. */
export interface MaskView {
  readonly offset: number;
  readonly strides: readonly [batch: number, head: number, query: number, key: number];
}

/** o = softmax(scale · q kᵀ + mask) v for each batch and head. A row whose scores are all masked (below -1e38) gives 0. */
export interface AttentionSpec {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** At most 256. */
  readonly headDim: number;
  readonly scale: number;
  readonly q: HeadRows;
  readonly k: HeadRows;
  readonly v: HeadRows;
  readonly mask?: MaskView;
  /** Query i sees keys 0 … i only. */
  readonly causal?: boolean;
  /** A query sees the keys of its own segment only: u32 ids of queries [batch, queries], then of keys [batch, keys], in one buffer. */
  readonly segments?: boolean;
}

/** True where every row starts at a multiple of four elements. */
export const rowsAligned = (rows: HeadRows): boolean =>
  [rows.offset, rows.batchStride, rows.headStride, rows.rowStride].every((value) => value % 4 === 0);

/** Uniform fields of one operand. */
export const headFields = (name: string, rows: HeadRows): Record<string, number> => ({
  [`${name}_offset`]: rows.offset,
  [`${name}_batch`]: rows.batchStride,
  [`${name}_head`]: rows.headStride,
  [`${name}_row`]: rows.rowStride,
});
