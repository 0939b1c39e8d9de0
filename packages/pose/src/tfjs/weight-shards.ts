import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { CheckpointError } from "@omni/core/checkpoint";
import type { ByteSource } from "@omni/core/checkpoint";
import type { WeightGroup, WeightSpec } from "./graph-json.ts";

/** A weight on the device, and its values where the graph may need them to be known: in whole numbers. */
export interface Weight {
  readonly value: Tensor;
  /** Null for floats. */
  readonly integers: readonly number[] | null;
}

const STORED_BYTES = { plain: 4, float16: 2, uint8: 1, uint16: 2 } as const;

/**
 * Reads the weights of a group out of the files beside the model's.
 *
 * @throws CheckpointError when a file is missing or has another length than its weights
 */
export async function readWeights(model: ByteSource, group: WeightGroup): Promise<Map<string, Weight>> {
  const bytes = await readShards(model, group.paths);
  const lengths = group.weights.map(({ shape, dtype, stored }) => {
    const each = dtype === "bool" ? 1 : STORED_BYTES[stored.kind];
    return each * shape.reduce((n, side) => n * side, 1);
  });
  const wanted = lengths.reduce((sum, n) => sum + n, 0);
  if (wanted !== bytes.length)
    throw new CheckpointError(
      `${model.name}: ${group.paths.join(", ")} must hold ${wanted} bytes of weights, got ${bytes.length}; fetch model and weights again`,
    );
  const weights = new Map<string, Weight>();
  let at = 0;
  for (const [i, spec] of group.weights.entries()) {
    const length = lengths[i] ?? 0;
    weights.set(spec.name, decode(spec, bytes.slice(at, at + length).buffer));
    at += length;
  }
  return weights;
}

async function readShards(model: ByteSource, paths: readonly string[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const path of paths) {
    if (model.sibling === undefined)
      throw new CheckpointError(
        `${model.name}: its weights lie beside it in ${path}; give the model as a path or an address, not as bytes`,
      );
    const shard = await model.sibling(path);
    try {
      parts.push(await shard.read(0, shard.size));
    } finally {
      await shard.close();
    }
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function decode({ shape, dtype, stored }: WeightSpec, bytes: ArrayBuffer): Weight {
  if (dtype === "bool")
    return { value: tensor(Uint32Array.from(new Uint8Array(bytes)), { shape, dtype }), integers: null };
  if (dtype === "int32") {
    const values = stored.kind === "plain" ? new Int32Array(bytes) : Int32Array.from(floats(stored, bytes), Math.round);
    return { value: tensor(values, { shape }), integers: [...values] };
  }
  return { value: tensor(floats(stored, bytes), { shape }), integers: null };
}

function floats(stored: WeightSpec["stored"], bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  if (stored.kind === "plain") return new Float32Array(bytes);
  const codes = stored.kind === "uint8" ? new Uint8Array(bytes) : new Uint16Array(bytes);
  const values = new Float32Array(codes.length);
  if (stored.kind === "float16") {
    halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits));
    for (let i = 0; i < codes.length; i++) values[i] = halves[codes[i] ?? 0] ?? 0;
  } else for (let i = 0; i < codes.length; i++) values[i] = (codes[i] ?? 0) * stored.scale + stored.min;
  return values;
}

/** The value of every half, by its bits. */
let halves: Float32Array | undefined;

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
