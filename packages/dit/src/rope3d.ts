import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { DitConfig } from "./config.ts";
import type { Layout } from "./inputs.ts";

/** Position of a token; `null` is not rotated. */
export type Position = readonly [t: number, y: number, x: number] | null;

/** Which channels of a head turn together: j and j + headDim / 2, or 2j and 2j + 1. */
export type RopePairs = "halves" | "interleaved";

/** Rotation of M tokens, shaped to broadcast over [B, M, 2 (q, k), H, headDim split into pairs]. */
export interface Rope {
  readonly pairs: RopePairs;
  /** [M, 1, 1, 1, headDim / 2], interleaved [M, 1, 1, headDim / 2, 1] */
  readonly cos: Tensor;
  /** −sin for the first of a pair, sin for the second: [M, 1, 1, 2, headDim / 2], interleaved [M, 1, 1, headDim / 2, 2] */
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
export function rope3d(
  positions: readonly Position[],
  { ropeAxes, ropeTheta }: Pick<DitConfig, "ropeAxes" | "ropeTheta">,
  pairs: RopePairs = "halves",
): Rope {
  const angles = ropeAngles(positions, ropeAxes, ropeTheta);
  const half = angles.length / positions.length;
  const cos = Float32Array.from(angles, Math.cos);
  const sin = new Float32Array(2 * angles.length);
  const [step, gap] = pairs === "halves" ? [1, half] : [2, 1];
  angles.forEach((angle, i) => {
    const at = 2 * half * Math.floor(i / half) + step * (i % half);
    sin[at] = -Math.sin(angle);
    sin[at + gap] = Math.sin(angle);
  });
  const tokens = positions.length;
  const split = (first: number): number[] => [tokens, 1, 1, ...pairShape(pairs, first, half)];
  return { pairs, cos: tensor(cos, { shape: split(1) }), sin: tensor(sin, { shape: split(2) }) };
}

/** A head's channels split into `first` = 1 or 2 of each pair. */
const pairShape = (pairs: RopePairs, first: number, half: number): [number, number] =>
  pairs === "halves" ? [first, half] : [half, first];

/**
 * Scales queries and keys per channel, then rotates them.
 *
 * @param qk [B, M, 2 (q, k), H, headDim]
 * @param scale [M or 1, 2 (q, k), H or 1, headDim], or null for none
 * @returns as `qk`
 */
export function applyRope(qk: Tensor, scale: Tensor | null, { pairs, cos, sin }: Rope): Tensor {
  const [batch = 1, tokens = 1, , heads = 1, headDim = 2] = qk.shape;
  const split = pairShape(pairs, 2, headDim / 2);
  const axis = pairs === "halves" ? 4 : 5;
  const x = qk.reshape([batch, tokens, 2, heads, ...split]);
  // flipping the pairs is a view, so that all of this is one kernel: (x w) cos + flip(x w) (∓sin)
  if (!scale) return x.mul(cos).add(x.flip(axis).mul(sin)).reshape(qk.shape);
  const w = scale.reshape([...scale.shape.slice(0, 3), ...split]);
  return x
    .mul(w)
    .mul(cos)
    .add(
      x
        .flip(axis)
        .mul(w.flip(axis - 1))
        .mul(sin),
    )
    .reshape(qk.shape);
}
