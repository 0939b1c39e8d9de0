import { tensor } from "@omni/core";
import type { PatchCode } from "./patch-shortcut.ts";

const ROUNDS = 40;

export interface PrincipalCodeOptions {
  /** Pixels of a block in one frame, times three. */
  readonly plane: number;
  /** Frames of a block. */
  readonly frames: number;
  /** Latent channels. */
  readonly width: number;
  /**
   * How much more the change within a block counts than its mean over time. At 1 a narrow code spends all its channels on what stands still and
   * repeats one frame; at 2 a mouth that opens within a block survives.
   */
  readonly changeGain: number;
}

/**
 * Principal components of blocks of pixels by subspace iteration, scaled so that each latent channel has unit variance: the best linear code of
 * a given width, where training by gradients would spend hundreds of steps to find it.
 *
 * @param blocks [N, frames · plane]
 * @param weights importance of each block, [N]
 * @see Halko, Martinsson & Tropp 2011, "Finding structure with randomness"
 */
export async function principalCode(
  blocks: Float32Array,
  weights: Float32Array,
  { plane, frames, width, changeGain }: PrincipalCodeOptions,
): Promise<PatchCode> {
  const block = frames * plane;
  const rows = scaleChange(blocks, plane, frames, changeGain);
  const count = rows.length / block;
  const mean = new Float64Array(block);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] ?? 1;
    total += weight;
    for (let k = 0; k < block; k++) mean[k] = (mean[k] ?? 0) + weight * (rows[i * block + k] ?? 0);
  }
  for (let k = 0; k < block; k++) mean[k] = (mean[k] ?? 0) / total;
  const centred = new Float32Array(rows.length);
  for (let i = 0; i < count; i++) {
    const scale = Math.sqrt((weights[i] ?? 1) / total);
    for (let k = 0; k < block; k++) centred[i * block + k] = scale * ((rows[i * block + k] ?? 0) - (mean[k] ?? 0));
  }
  const x = tensor(centred, { shape: [count, block] });
  const covariance = await x.transpose().matmul(x).data();
  let basis = orthonormal(
    Array.from({ length: width }, (_, c) =>
      Float64Array.from({ length: block }, (__, k) => Math.cos((c + 1) * (k + 0.5))),
    ),
  );
  for (let round = 0; round < ROUNDS; round++) basis = orthonormal(basis.map((v) => times(covariance, v)));
  const read = new Float32Array(width * block);
  const columns = new Float32Array(width * block);
  basis.forEach((v, c) => {
    const image = times(covariance, v);
    const deviation = Math.sqrt(
      Math.max(
        1e-8,
        v.reduce((sum, a, k) => sum + a * (image[k] ?? 0), 0),
      ),
    );
    for (let k = 0; k < block; k++) {
      read[c * block + k] = (v[k] ?? 0) / deviation;
      columns[c * block + k] = (v[k] ?? 0) * deviation;
    }
  });
  // the scaling is symmetric: reading passes through it, writing through its inverse
  const back = scaleChange(columns, plane, frames, 1 / changeGain);
  const write = new Float32Array(block * width);
  for (let c = 0; c < width; c++) for (let k = 0; k < block; k++) write[k * width + c] = back[c * block + k] ?? 0;
  return {
    read: scaleChange(read, plane, frames, changeGain),
    write,
    mean: scaleChange(Float32Array.from(mean), plane, frames, 1 / changeGain),
  };
}

/** Each block's mean over time plus `gain` times what its frames differ from it. */
function scaleChange(blocks: Float32Array, plane: number, frames: number, gain: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(blocks.length);
  for (let start = 0; start < blocks.length; start += frames * plane)
    for (let k = start; k < start + plane; k++) {
      let mean = 0;
      for (let f = 0; f < frames; f++) mean += (blocks[k + f * plane] ?? 0) / frames;
      for (let f = 0; f < frames; f++) out[k + f * plane] = mean + gain * ((blocks[k + f * plane] ?? 0) - mean);
    }
  return out;
}

function times(matrix: ArrayLike<number>, v: Float64Array): Float64Array {
  const n = v.length;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += (matrix[i * n + k] ?? 0) * (v[k] ?? 0);
    out[i] = sum;
  }
  return out;
}

/** Modified Gram–Schmidt. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const v of vectors) {
    const w = Float64Array.from(v);
    for (const u of done) {
      const along = w.reduce((sum, a, k) => sum + a * (u[k] ?? 0), 0);
      for (let k = 0; k < w.length; k++) w[k] = (w[k] ?? 0) - along * (u[k] ?? 0);
    }
    const length = Math.sqrt(w.reduce((sum, a) => sum + a * a, 0)) || 1;
    done.push(w.map((a) => a / length));
  }
  return done;
}
