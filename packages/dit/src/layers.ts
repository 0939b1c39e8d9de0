import { ones, rmsNorm, tensor } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import type { DitConfig } from "./config.ts";
import { MODULATION_ROWS } from "./timestep.ts";

const NORM_EPS = 1e-6;

/** Shift and scale after a norm, gate on the residual; [B, frames, 1, D] each. */
export interface Modulation {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** RMS norm without parameters, then (1 + scale) x + shift. */
export const modulatedNorm = (x: Tensor, { shift, scale }: Pick<Modulation, "shift" | "scale">): Tensor =>
  rmsNorm(x, undefined, { eps: NORM_EPS }).mul(scale.add(1)).add(shift);

/** Divides every head by its root mean square; the learned scale follows in {@link applyRope}. */
export const headNorm = (heads: Tensor): Tensor => rmsNorm(heads, undefined, { eps: NORM_EPS });

/** A per-channel scale for queries and keys, [2 (q, k), headDim], from 1. */
export const qkScale = (headDim: number): Tensor => ones([2, headDim]);

/** A block's own part of the modulation, [6, D]: zeros, gates at `gateInit`. */
export function modulationTable({ width, gateInit }: DitConfig): Tensor {
  const table = new Float32Array(MODULATION_ROWS * width);
  for (const row of [2, 5]) table.fill(gateInit, row * width, (row + 1) * width);
  return tensor(table, { shape: [MODULATION_ROWS, width] });
}

/**
 * Modulation of a block's two halves.
 *
 * @param time shared part, [B, frames, 6, D]
 * @param table the block's part, [6, D]
 */
export function blockModulation(
  time: Tensor,
  table: Tensor,
): { readonly attention: Modulation; readonly ffn: Modulation } {
  const rows = time.add(table);
  const row = (i: number): Tensor => rows.slice(2, i, i + 1);
  return {
    attention: { shift: row(0), scale: row(1), gate: row(2) },
    ffn: { shift: row(3), scale: row(4), gate: row(5) },
  };
}

/**
 * SwiGLU feed-forward: W_out (silu(W_gate x) ⊙ W_up x), gate and up as one matrix.
 *
 * @see Shazeer 2020, "GLU Variants Improve Transformer"
 */
export class SwiGlu extends Module {
  readonly gateUp: Linear;
  readonly out: Linear;
  readonly #hidden: number;

  constructor({ width, ffnDim }: DitConfig, rng: Rng) {
    super();
    this.gateUp = new Linear(width, 2 * ffnDim, { bias: false, rng: rng.fork("gateUp") });
    this.out = new Linear(ffnDim, width, { bias: false, rng: rng.fork("out") });
    this.#hidden = ffnDim;
  }

  forward(x: Tensor): Tensor {
    const both = this.gateUp.forward(x);
    const gate = both.slice(-1, 0, this.#hidden);
    const up = both.slice(-1, this.#hidden, 2 * this.#hidden);
    return this.out.forward(gate.silu().mul(up));
  }
}

/** Weights that one modality brings to a block: its projections into and out of the joint attention, and its FFN. */
export class Stream extends Module {
  readonly qkv: Linear;
  readonly qkScale: Tensor;
  /** Null in the last block's text stream, whose output nobody reads. */
  readonly projection: Linear | null;
  readonly ffn: SwiGlu | null;

  constructor(config: DitConfig, { rng, inputOnly }: { readonly rng: Rng; readonly inputOnly: boolean }) {
    super();
    const { width, headDim } = config;
    this.qkv = new Linear(width, 3 * width, { bias: false, rng: rng.fork("qkv") });
    this.qkScale = qkScale(headDim);
    this.projection = inputOnly ? null : new Linear(width, width, { bias: false, rng: rng.fork("projection") });
    this.ffn = inputOnly ? null : new SwiGlu(config, rng.fork("ffn"));
  }

  /** Residual half after the joint attention: x + gate · W_o attended. */
  attended(x: Tensor, heads: Tensor, { gate }: Modulation): Tensor {
    return this.projection ? x.add(this.projection.forward(heads).mul(gate)) : x;
  }

  /** Residual half of the FFN. */
  feedForward(x: Tensor, modulation: Modulation): Tensor {
    return this.ffn ? x.add(this.ffn.forward(modulatedNorm(x, modulation)).mul(modulation.gate)) : x;
  }
}
