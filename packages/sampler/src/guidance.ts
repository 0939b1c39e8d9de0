import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { BranchVelocity } from "./velocity.ts";

/** The scale of OmniHuman-1, section 4: for audio and text alike. */
export const defaultGuidanceScale = 6.5;

/**
 * How a guidance scale moves over the sampling steps. High scales buy lip-sync and expression, low ones at the end take
 * the wrinkles away.
 */
export type GuidanceCurve =
  | { readonly kind: "constant"; readonly scale: number }
  /** Straight from `start` at the first step to `end` at the last. */
  | { readonly kind: "linear"; readonly start: number; readonly end: number }
  /** Half a cosine from `start` to `end`: flat at both ends. */
  | { readonly kind: "cosine"; readonly start: number; readonly end: number }
  /** `scale` while from ≤ progress ≤ to, else 1 (no guidance, and no second branch to pay for). */
  | { readonly kind: "interval"; readonly scale: number; readonly from: number; readonly to: number };

/** The default: 6.5 falling in a straight line to 1. */
export const annealedGuidance = {
  kind: "linear",
  start: defaultGuidanceScale,
  end: 1,
} as const satisfies GuidanceCurve;

/**
 * The scale of one step.
 *
 * @param curve a curve, or a number for a constant scale
 * @param step index of the step, from 0
 * @param steps number of steps
 */
export function guidanceScaleAt(curve: GuidanceCurve | number, step: number, steps: number): number {
  if (typeof curve === "number") return curve;
  const progress = steps > 1 ? step / (steps - 1) : 0;
  switch (curve.kind) {
    case "constant":
      return curve.scale;
    case "linear":
      return curve.start + (curve.end - curve.start) * progress;
    case "cosine":
      return curve.end + (curve.start - curve.end) * 0.5 * (1 + Math.cos(Math.PI * progress));
    case "interval":
      return progress >= curve.from && progress <= curve.to ? curve.scale : 1;
  }
}

/**
 * The branches of classifier-free guidance and their scales. Pose, reference and motion frames stay on in every branch:
 * only audio and text are guided.
 */
export type Guidance<C> =
  | { readonly kind: "none"; readonly full: C }
  /** v = v_drop + g (v_full - v_drop); `dropped` lacks audio and text. Two branches. */
  | { readonly kind: "joint"; readonly full: C; readonly dropped: C; readonly scale?: GuidanceCurve | number }
  /**
   * v = v_drop + g_text (v_text - v_drop) + g_audio (v_full - v_text); `withoutAudio` lacks audio, `dropped` audio and
   * text. Three branches.
   */
  | {
      readonly kind: "separate";
      readonly full: C;
      readonly withoutAudio: C;
      readonly dropped: C;
      readonly textScale?: GuidanceCurve | number;
      readonly audioScale?: GuidanceCurve | number;
    };

/**
 * Joint guidance: v = v_drop + g (v_full - v_drop).
 *
 * @param scale g; 1 gives `full`, 0 gives `dropped`
 */
export function guideJoint(full: Tensor, dropped: Tensor, scale: number): Tensor {
  return dropped.add(full.sub(dropped).mul(tensor([scale])));
}

/**
 * Guidance with a scale each for text and audio:
 * v = v_drop + g_text (v_text - v_drop) + g_audio (v_full - v_text).
 *
 * Equal scales give `guideJoint`.
 */
export function guideSeparate(
  { full, withoutAudio, dropped }: SeparateBranches<Tensor>,
  textScale: number,
  audioScale: number,
): Tensor {
  const text = withoutAudio.sub(dropped).mul(tensor([textScale]));
  const audio = full.sub(withoutAudio).mul(tensor([audioScale]));
  return dropped.add(text).add(audio);
}

/** One thing a branch of separate guidance. */
export interface SeparateBranches<T> {
  readonly full: T;
  readonly withoutAudio: T;
  readonly dropped: T;
}

/**
 * The guided velocity of one step. Branches that cannot change the answer (all scales 1) are not evaluated.
 *
 * @param velocity evaluates the branches asked for
 * @param step index of the step, from 0: sets the scale
 * @param steps number of steps
 */
export function guidedVelocity<C>(
  velocity: BranchVelocity<C>,
  guidance: Guidance<C>,
  step: number,
  steps: number,
): (xt: Tensor, t: Tensor) => Tensor {
  const alone = (xt: Tensor, t: Tensor): Tensor => branch(velocity(xt, t, [guidance.full]), 0);
  switch (guidance.kind) {
    case "none":
      return alone;
    case "joint": {
      const { full, dropped, scale = annealedGuidance } = guidance;
      const g = guidanceScaleAt(scale, step, steps);
      if (g === 1) return alone;
      return (xt, t) => {
        const v = velocity(xt, t, [full, dropped]);
        return guideJoint(branch(v, 0), branch(v, 1), g);
      };
    }
    case "separate": {
      const { full, withoutAudio, dropped, textScale = annealedGuidance, audioScale = annealedGuidance } = guidance;
      const gText = guidanceScaleAt(textScale, step, steps);
      const gAudio = guidanceScaleAt(audioScale, step, steps);
      if (gText === 1 && gAudio === 1) return alone;
      return (xt, t) => {
        const v = velocity(xt, t, [full, withoutAudio, dropped]);
        return guideSeparate({ full: branch(v, 0), withoutAudio: branch(v, 1), dropped: branch(v, 2) }, gText, gAudio);
      };
    }
  }
}

function branch(velocities: readonly Tensor[], index: number): Tensor {
  const velocity = velocities[index];
  if (!velocity) {
    throw new RangeError(
      `guidance: velocity must answer every branch, got ${velocities.length} tensors; branch ${index} is missing`,
    );
  }
  return velocity;
}
