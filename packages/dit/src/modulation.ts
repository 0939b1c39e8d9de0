import { layerNorm, rmsNorm, tensor } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Linear } from "@omni/core/nn";
import type { BlockConfig, NormKind } from "./block-config.ts";
import { MODULATION_ROWS } from "./timestep.ts";

const NORM_EPS = 1e-6;

/** Shift and scale after a norm, gate on the residual; [B, frames, 1, D] each. */
export interface Modulation {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** A block's own weights of the modulation: a table [rows, D], or a projection D → rows · D of the time vector. */
export type ModulationWeights = Tensor | Linear;

/** Norm without parameters, then (1 + scale) x + shift. */
export function modulatedNorm(
  x: Tensor,
  { shift, scale }: Pick<Modulation, "shift" | "scale">,
  norm: NormKind = "rms",
): Tensor {
  const normed =
    norm === "rms" ? rmsNorm(x, undefined, { eps: NORM_EPS }) : layerNorm(x, null, null, { eps: NORM_EPS });
  return normed.mul(scale.add(1)).add(shift);
}

/** Divides every row of the last axis by its root mean square; the learned scale of queries and keys follows where they are rotated. */
export const headNorm = (heads: Tensor): Tensor => rmsNorm(heads, undefined, { eps: NORM_EPS });

/** What `headNorm` multiplies every row by; [..., 1]. */
export const headFactor = (heads: Tensor): Tensor =>
  heads.square().mean({ axis: -1, keepdim: true }).add(NORM_EPS).rsqrt();

/** Six rows, or for a stream that only enters the attention its shift and scale. A table always has six: zeros, gates at `gateInit`. */
export function modulationWeights(
  { width, modulation, gateInit }: BlockConfig,
  { rng, inputOnly }: { readonly rng: Rng; readonly inputOnly: boolean },
): ModulationWeights {
  if (modulation === "projection")
    return new Linear(width, (inputOnly ? 2 : MODULATION_ROWS) * width, { rng, init: "zeros" });
  const table = new Float32Array(MODULATION_ROWS * width);
  for (const row of [2, 5]) table.fill(gateInit, row * width, (row + 1) * width);
  return tensor(table, { shape: [MODULATION_ROWS, width] });
}

/**
 * Rows of modulation.
 *
 * @param time beside a table the shared part, [B, frames, rows, D], or one row for all; beside a projection the time vector, [B, frames, D]
 * @returns row i as [B, frames, 1, D]
 */
export function modulationRows(time: Tensor, own: ModulationWeights): (row: number) => Tensor {
  if (!(own instanceof Linear)) {
    if (time.shape[2] === 1) return (row) => time.add(own.slice(0, row, row + 1));
    const sum = time.add(own);
    return (row) => sum.slice(2, row, row + 1);
  }
  const [batch = 1, frames = 1, width = 1] = time.shape;
  const rows = own.forward(time.silu()).reshape([batch, frames, -1, width]);
  return (row) => rows.slice(2, row, row + 1);
}

/** Modulation of a block's two halves; `time` as in {@link modulationRows}. */
export function blockModulation(
  time: Tensor,
  own: ModulationWeights,
): { readonly attention: Modulation; readonly ffn: Modulation } {
  const row = modulationRows(time, own);
  return {
    attention: { shift: row(0), scale: row(1), gate: row(2) },
    ffn: { shift: row(3), scale: row(4), gate: row(5) },
  };
}

/** Modulation of a stream that enters the attention and goes no further. */
export function inputModulation(time: Tensor, own: ModulationWeights): Pick<Modulation, "shift" | "scale"> {
  const row = modulationRows(time, own);
  return { shift: row(0), scale: row(1) };
}
