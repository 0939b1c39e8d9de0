import type { Epilogue } from "./epilogue.ts";
import type { Stored } from "./snippets/stored.ts";

/** A matrix inside a buffer. Strides and offset count elements; one of rowStride and colStride is 1. */
export interface Operand {
  readonly offset: number;
  /** Steps of the two batch axes; 0 repeats the matrix. */
  readonly batchStrides: readonly [number, number];
  readonly rowStride: number;
  readonly colStride: number;
  /** f32 unless given. */
  readonly stored?: Stored;
}

/** C[b0, b1, m, n] = A[.., m, k] · B[.., k, n] (· scale[n]) (+ bias[n]); C is contiguous. */
export interface MatmulSpec {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: readonly [number, number];
  readonly a: Operand;
  readonly b: Operand;
  readonly scale?: boolean;
  readonly bias?: boolean;
  /** Applied to C, whose rows are then of whole fours; its inputs follow the others. */
  readonly epilogue?: Epilogue;
}

/** True where each row of four along the unit stride starts at a multiple of four elements. */
export function isVector(operand: Operand, unitExtent: number, rowUnit: boolean): boolean {
  // rows of bytes are filled up to whole words
  if (operand.stored === "int8") return true;
  const other = rowUnit ? operand.colStride : operand.rowStride;
  return [operand.offset, other, ...operand.batchStrides, unitExtent].every((value) => value % 4 === 0);
}

/** Which axis of an operand is contiguous. A vector (both strides 1) counts as column-contiguous. */
export const unitAxis = (operand: Operand): "row" | "col" => (operand.colStride === 1 ? "col" : "row");
