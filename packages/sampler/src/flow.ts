import { ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";

/** A training example of rectified flow: where the network looks, and what it should answer there. */
export interface FlowPoint {
  /** Noised latents, shaped as x0. */
  readonly xt: Tensor;
  /** Target velocity dx/dt, shaped as x0. */
  readonly velocity: Tensor;
}

/**
 * Rectified-flow point and target on the straight path from data to noise.
 *
 * x_t = (1 - t) x_0 + t ε,   v = ε - x_0
 *
 * @param x0 clean latents, [B, ...]
 * @param noise standard normal, same shape
 * @param t time in [0, 1], [B]; 1 is noise
 * @returns `xt` and `velocity`, shaped as `x0`
 * @throws ShapeError when x0 and noise differ, or t is not [B]
 * @see Liu et al. 2023, eq. 1; OmniHuman-1, section 3.1
 */
export function flowPoint(x0: Tensor, noise: Tensor, t: Tensor): FlowPoint {
  if (x0.shape.join() !== noise.shape.join()) {
    throw new ShapeError(
      `flowPoint: noise must have x0's shape [${x0.shape.join(", ")}], got [${noise.shape.join(", ")}]`,
    );
  }
  const velocity = noise.sub(x0);
  return { xt: x0.add(velocity.mul(perSample(t, x0))), velocity };
}

/**
 * The clean latents that a velocity points at: x_0 = x_t - t v.
 *
 * @param xt noised latents, [B, ...]
 * @param velocity the network's answer, same shape
 * @param t time, [B]
 */
export function cleanFromVelocity(xt: Tensor, velocity: Tensor, t: Tensor): Tensor {
  return xt.sub(velocity.mul(perSample(t, xt)));
}

/**
 * The noise that a velocity comes from: ε = x_t + (1 - t) v.
 *
 * @param xt noised latents, [B, ...]
 * @param velocity the network's answer, same shape
 * @param t time, [B]
 */
export function noiseFromVelocity(xt: Tensor, velocity: Tensor, t: Tensor): Tensor {
  return xt.add(velocity.mul(perSample(t.neg().add(1), xt)));
}

/** [B] → [B, 1, 1, …] of the rank of `like`. */
function perSample(t: Tensor, like: Tensor): Tensor {
  if (t.ndim !== 1 || t.shape[0] !== like.shape[0]) {
    throw new ShapeError(`flow: t must have shape [${like.shape[0]}], one time a sample, got [${t.shape.join(", ")}]`);
  }
  return t.reshape([t.size, ...new Array<number>(like.ndim - 1).fill(1)]);
}
