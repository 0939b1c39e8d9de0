import { sizeOf } from "../base/shape.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { SCALE_SUFFIX } from "./dequantised.ts";
import { floatBytes, type StoredSource } from "./safetensors-writer.ts";
import { isFloating } from "./stored-dtype.ts";
import { storedSize } from "./stored-view.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** What floats are stored as; `int8` quantises the large matrices and keeps what is left as it is, 8-bit floats as f32. */
export type ConvertedDType = "f32" | "f16" | "bf16" | "int8";

// What is converted at once, in values: rows of an int8 tensor are taken together up to it.
const PIECE_VALUES = 1 << 20;
const MAX_CODE = 127;
/** Norms, biases and tables of positions are small and precise: they gain little as int8. */
const LEAST_QUANTISED = 16_384;

/**
 * A checkpoint's tensors as they are written in another type. Each is read, converted and given piece by piece.
 *
 * int8 is symmetric by row, the rows along the first axis: s = max |w| / 127, q = round(w / s). `NAME` holds q, `NAME_scale`
 * s as f32 [rows, 1, …]; tensors of two axes and more, of 16,384 values and more, whose names end in `weight` are stored so.
 *
 * @param dtype null leaves all types as they are
 */
export function convertedTensors(
  { tensors }: Pick<Checkpoint, "tensors">,
  dtype: ConvertedDType | null,
): ReadonlyMap<string, StoredSource> {
  const sources = new Map<string, StoredSource>();
  for (const [name, tensor] of Object.entries(tensors)) {
    if (dtype === null || !isFloating(tensor.dtype)) sources.set(name, unchanged(tensor));
    else if (dtype === "int8") {
      if (isQuantisable(name, tensor)) {
        sources.set(name, quantised(name, tensor));
        sources.set(name + SCALE_SUFFIX, scalesOf(name, tensor));
      } else sources.set(name, tensor.dtype.startsWith("F8") ? floats(name, tensor, "F32") : unchanged(tensor));
    } else sources.set(name, floats(name, tensor, dtype === "f32" ? "F32" : dtype === "f16" ? "F16" : "BF16"));
  }
  return sources;
}

const isQuantisable = (name: string, { shape }: StoredTensor): boolean =>
  name.endsWith("weight") && shape.length >= 2 && sizeOf(shape) >= LEAST_QUANTISED;

function unchanged(tensor: StoredTensor): StoredSource {
  const { dtype, shape } = tensor;
  const size = storedSize(tensor);
  return {
    dtype,
    shape,
    async *bytes() {
      const read = await tensor.open();
      for (let at = 0; at < size; at += 4 * PIECE_VALUES) yield read(at, Math.min(4 * PIECE_VALUES, size - at));
    },
  };
}

function floats(name: string, tensor: StoredTensor, dtype: "F32" | "F16" | "BF16"): StoredSource {
  if (tensor.dtype === dtype) return unchanged(tensor);
  return {
    dtype,
    shape: tensor.shape,
    async *bytes() {
      for await (const values of tensor.pieces("f32")) yield floatBytes(name, dtype, values);
    },
  };
}

/** Rows of a tensor, as many at a time as a piece holds, one at least. */
async function* rowsOf(
  tensor: StoredTensor,
): AsyncGenerator<{ readonly values: Float32Array; readonly length: number }> {
  const [rows = 1] = tensor.shape;
  const length = sizeOf(tensor.shape) / rows;
  const step = Math.max(1, Math.floor(PIECE_VALUES / length));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    yield { values: await tensor.range("f32", row * length, count * length), length };
  }
}

/** s = max |w| / 127 of each row; 1 for a row of zeros. */
function rowScales(name: string, values: Float32Array, length: number): Float32Array {
  return Float32Array.from({ length: values.length / length }, (_, row) => {
    let most = 0;
    for (let i = row * length; i < (row + 1) * length; i++) {
      const size = Math.abs(values[i] ?? 0);
      if (size > most || Number.isNaN(size)) most = size;
    }
    if (!Number.isFinite(most))
      throw checkpointError({
        source: "convert",
        rule: `tensor ${quote(name)} must hold finite numbers to be stored as int8`,
        got: `${most}`,
        remedy: "store it as f32 or bf16, or use another checkpoint",
      });
    return most === 0 ? 1 : most / MAX_CODE;
  });
}

function scalesOf(name: string, tensor: StoredTensor): StoredSource {
  return {
    dtype: "F32",
    shape: tensor.shape.map((size, axis) => (axis === 0 ? size : 1)),
    async *bytes() {
      for await (const { values, length } of rowsOf(tensor))
        yield floatBytes("scales", "F32", rowScales(name, values, length));
    },
  };
}

function quantised(name: string, tensor: StoredTensor): StoredSource {
  return {
    dtype: "I8",
    shape: tensor.shape,
    async *bytes() {
      for await (const { values, length } of rowsOf(tensor)) {
        const scales = rowScales(name, values, length);
        const codes = new Int8Array(values.length);
        scales.forEach((scale, row) => {
          for (let i = row * length; i < (row + 1) * length; i++) codes[i] = Math.round((values[i] ?? 0) / scale);
        });
        yield new Uint8Array(codes.buffer);
      }
    },
  };
}
