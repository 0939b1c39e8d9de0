/** Weights of a Keras model as TensorFlow.js publishes them: names and shapes in JSON, values one after another in a binary file. */
import { tensor, type Tensor } from "@omni/core";

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * A state dict under this library's names and layouts: `F_0/kernel` [height, width, in, out] becomes `F_0.weight` [out, in, height, width].
 *
 * @param manifest the text of model.json
 * @param values the binary file, f32, little-endian
 * @throws TypeError when the manifest is not of plain f32 tensors of one file, RangeError when the file has another size than it says
 */
export function kerasState(manifest: string, values: ArrayBuffer): Record<string, Tensor> {
  const entries = readManifest(manifest);
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const bytes = entries.reduce((sum, { shape }) => sum + 4 * size(shape), 0);
  if (bytes !== values.byteLength)
    throw new RangeError(`kerasState: the weights must have the manifest's ${bytes} bytes, got ${values.byteLength}`);
  let at = 0;
  const state: Record<string, Tensor> = {};
  for (const { name, shape } of entries) {
    const stored = tensor(new Float32Array(values, at, size(shape)), { shape });
    at += 4 * size(shape);
    if (name.endsWith("/kernel")) state[name.replace("/kernel", ".weight")] = stored.permute([3, 2, 0, 1]);
    else state[name.replace("/", ".")] = stored;
  }
  return state;
}

function readManifest(text: string): Entry[] {
  const { weightsManifest } = JSON.parse(text) as { weightsManifest?: unknown };
  const group: unknown = Array.isArray(weightsManifest) && weightsManifest.length === 1 ? weightsManifest[0] : null;
  const weights: unknown = group !== null && typeof group === "object" && "weights" in group ? group.weights : null;
  if (!Array.isArray(weights) || !weights.every(isEntry))
    throw new TypeError("kerasState: weightsManifest must list kernels and biases of dtype float32 in one group");
  return weights;
}

function isEntry(value: unknown): value is Entry {
  const { name, shape, dtype } = (value ?? {}) as Record<string, unknown>; // each field is looked at below
  if (typeof name !== "string" || dtype !== "float32") return false;
  if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) return false;
  return shape.length === (name.endsWith("/kernel") ? 4 : 1);
}
