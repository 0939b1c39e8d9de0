import { concat, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { DitInputs, Layout } from "./inputs.ts";
import type { PackedClip } from "./packing.ts";

// large enough that exp() is exactly 0 in f32, small enough that adding scores to it stays finite
const MASKED = -1e9;

/** 1 = seen, 0 = hidden → numbers to add to the scores. */
export const maskedScores = (seen: Tensor): Tensor => seen.sub(1).mul(-MASKED);

/** Hides padded or dropped text tokens and dropped reference tokens from every query; null where there is nothing to hide. */
export function keyMask({ textMask, textActive, referenceActive }: DitInputs, layout: Layout): Tensor | null {
  const { batch, textLength, referenceFrames, frames, tokensPerFrame } = layout;
  const hidesText = textLength > 0 && (textMask !== null || textActive !== null);
  const hidesReference = referenceFrames > 0 && referenceActive !== null;
  if (!hidesText && !hidesReference) return null;
  const seen: Tensor[] = [];
  if (textLength > 0) {
    const active = textActive ? textActive.reshape([batch, 1]) : null;
    const text = textMask && active ? textMask.mul(active) : (textMask ?? active);
    seen.push((text ? maskedScores(text) : zeros([batch, 1])).expand([batch, textLength]));
  }
  const referenceTokens = referenceFrames * tokensPerFrame;
  if (referenceTokens > 0) {
    const reference = referenceActive ? maskedScores(referenceActive.reshape([batch, 1])) : zeros([batch, 1]);
    seen.push(reference.expand([batch, referenceTokens]));
  }
  seen.push(zeros([batch, frames * tokensPerFrame - referenceTokens]));
  return concat(seen, { axis: 1 }).reshape([batch, 1, 1, -1]);
}

/** The masks of packed clips, in the order of a pack's `byClip`: additive, [1, 1, 1, M]; null where nothing is. */
export function packedKeyMask(clips: readonly PackedClip[]): Tensor | null {
  const masks = clips.map(({ inputs, layout }) => keyMask(inputs, layout));
  if (masks.every((mask) => mask === null)) return null;
  const whole = masks.map((mask, c) => {
    const { textLength = 0, frames = 0, tokensPerFrame = 0 } = clips[c]?.layout ?? {};
    return mask ?? zeros([1, 1, 1, textLength + frames * tokensPerFrame]);
  });
  return concat(whole, { axis: 3 });
}
