import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { DitConfig } from "./config.ts";
import type { Layout } from "./inputs.ts";

/** Position of a token; `null` is not rotated. */
export type Position = readonly [t: number, y: number, x: number] | null;

/** Rotation of M tokens, shaped to broadcast over [B, M, 2 (q, k), H, 2 (halves), headDim / 2]. */
export interface Rope {
  /** [M, 1, 1, 1, headDim / 2] */
  readonly cos: Tensor;
  /** [M, 1, 1, 2, headDim / 2]: −sin for the first half, sin for the second. */
  readonly sin: Tensor;
}

/**
 * Positions of the joint sequence text, reference, motion, noisy.
 *
 * Video time starts at 1, so that temporal 0 is the reference's alone; y and x of the reference are those of the video.
 *
 * @see OmniHuman-1, "Appearance Conditions"
 */
export function tokenPositions(layout: Layout, textRope: DitConfig["textRope"]): Position[] {
  const positions: Position[] = [];
  for (let i = 0; i < layout.textLength; i++) positions.push(textRope === "mm" ? [i, i, i] : null);
  for (let frame = 0; frame < layout.frames; frame++) {
    const t = frame < layout.referenceFrames ? 0 : 1 + frame - layout.referenceFrames;
    for (let y = 0; y < layout.rows; y++) for (let x = 0; x < layout.columns; x++) positions.push([t, y, x]);
  }
  return positions;
}

/**
 * Angles of 3D rotary embeddings: the pairs of a head are divided among t, y and x, and pair i of an axis with n pairs turns by
 *
 *   angle = position · θ^(−i / n)
 *
 * @returns [M, headDim / 2], row-major; zeros where a token has no position
 * @see Su et al. 2021, "RoFormer"
 */
export function ropeAngles(positions: readonly Position[], axes: readonly number[], theta: number): Float64Array {
  const pairs = axes.reduce((sum, n) => sum + n, 0);
  const angles = new Float64Array(positions.length * pairs);
  positions.forEach((position, token) => {
    if (!position) return;
    let column = token * pairs;
    axes.forEach((n, axis) => {
      for (let i = 0; i < n; i++) angles[column++] = (position[axis] ?? 0) * theta ** (-i / n);
    });
  });
  return angles;
}

/** Cosines and signed sines of {@link ropeAngles} as tensors. */
export function rope3d(positions: readonly Position[], { ropeAxes, ropeTheta }: DitConfig): Rope {
  const angles = ropeAngles(positions, ropeAxes, ropeTheta);
  const half = angles.length / positions.length;
  const cos = Float32Array.from(angles, Math.cos);
  const sin = new Float32Array(2 * angles.length);
  angles.forEach((angle, i) => {
    const row = Math.floor(i / half);
    sin[2 * row * half + (i % half)] = -Math.sin(angle);
    sin[(2 * row + 1) * half + (i % half)] = Math.sin(angle);
  });
  const tokens = positions.length;
  return { cos: tensor(cos, { shape: [tokens, 1, 1, 1, half] }), sin: tensor(sin, { shape: [tokens, 1, 1, 2, half] }) };
}

/**
 * Scales normalised queries and keys per channel, then rotates the pairs (j, j + headDim / 2).
 *
 * @param qk [B, M, 2 (q, k), H, headDim]
 * @param scale [M or 1, 2 (q, k), headDim]
 * @returns as `qk`
 */
export function applyRope(qk: Tensor, scale: Tensor, { cos, sin }: Rope): Tensor {
  const [batch = 1, tokens = 1, , heads = 1, headDim = 2] = qk.shape;
  const x = qk.reshape([batch, tokens, 2, heads, 2, headDim / 2]);
  const w = scale.reshape([-1, 2, 1, 2, headDim / 2]);
  // flipping the halves is a view, so that all of this is one kernel: (x w) cos + flip(x w) (∓sin)
  return x
    .mul(w)
    .mul(cos)
    .add(x.flip(4).mul(w.flip(3)).mul(sin))
    .reshape(qk.shape);
}
