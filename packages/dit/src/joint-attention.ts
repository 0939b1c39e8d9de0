import { attention, concat, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { headNorm } from "./layers.ts";
import type { Stream } from "./layers.ts";
import type { DitInputs, Layout } from "./inputs.ts";
import { applyRope } from "./rope3d.ts";
import type { Rope } from "./rope3d.ts";

// large enough that exp() is exactly 0 in f32, small enough that adding scores to it stays finite
const MASKED = -1e9;

/** What all blocks' joint attentions share: positions, and which keys may be seen. */
export interface JointContext {
  readonly rope: Rope;
  /** Additive, [B, 1, 1, M]; null where every token may be seen. */
  readonly keyMask: Tensor | null;
}

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
    seen.push((text ? text.sub(1).mul(-MASKED) : zeros([batch, 1])).expand([batch, textLength]));
  }
  const referenceTokens = referenceFrames * tokensPerFrame;
  if (referenceTokens > 0) {
    const reference = referenceActive ? referenceActive.reshape([batch, 1]).sub(1).mul(-MASKED) : zeros([batch, 1]);
    seen.push(reference.expand([batch, referenceTokens]));
  }
  seen.push(zeros([batch, frames * tokensPerFrame - referenceTokens]));
  return concat(seen, { axis: 1 }).reshape([batch, 1, 1, -1]);
}

/**
 * Attention over text and video tokens at once, each projected by its own stream's weights.
 *
 * Queries and keys are RMS-normed per head, scaled per channel and rotated; scores carry 1/√headDim.
 *
 * @param text modulated text tokens, [B, 1, L, D], or null
 * @param video modulated video tokens, [B, frames, P, D]
 * @param onlyFrom where not null, video frames before this one and all text are keys only
 * @returns heads joined again: `text` [B, 1, L, D] or null, `video` [B, frames − onlyFrom, P, D]
 */
export function jointAttention(
  streams: { readonly text: Stream; readonly video: Stream },
  { text, video }: { readonly text: Tensor | null; readonly video: Tensor },
  { rope, keyMask: mask }: JointContext,
  onlyFrom: number | null,
): { readonly text: Tensor | null; readonly video: Tensor } {
  const [batch = 0, frames = 0, perFrame = 0, width = 0] = video.shape;
  const headDim = streams.video.qkScale.shape[1] ?? width;
  const heads = width / headDim;
  const textLength = text?.shape[2] ?? 0;
  const tokens = textLength + frames * perFrame;

  const videoQkv = streams.video.qkv.forward(video).reshape([batch, frames * perFrame, 3 * width]);
  const textQkv = text ? streams.text.qkv.forward(text).reshape([batch, textLength, 3 * width]) : null;
  const qkv = (textQkv ? concat([textQkv, videoQkv], { axis: 1 }) : videoQkv).reshape([
    batch,
    tokens,
    3,
    heads,
    headDim,
  ]);
  const qk = applyRope(headNorm(qkv.slice(2, 0, 2)), tokenScale(streams, textLength, tokens), rope);
  const part = (of: Tensor, index: number): Tensor =>
    of
      .slice(2, index, index + 1)
      .squeeze(2)
      .permute([0, 2, 1, 3]);

  const skipped = onlyFrom === null ? 0 : textLength + onlyFrom * perFrame;
  const queries = skipped === 0 ? part(qk, 0) : part(qk, 0).slice(2, skipped, tokens);
  const attended = attention(queries, part(qk, 1), part(qkv, 2), mask ? { mask } : {});
  const joined = attended.permute([0, 2, 1, 3]).reshape([batch, tokens - skipped, width]);
  if (onlyFrom !== null || !text) return { text: null, video: joined.reshape([batch, -1, perFrame, width]) };
  return {
    text: joined.slice(1, 0, textLength).reshape([batch, 1, textLength, width]),
    video: joined.slice(1, textLength, tokens).reshape([batch, frames, perFrame, width]),
  };
}

/** Each token's query and key scale: [1, 2, headDim] where both streams share it, else [M, 2, headDim]. */
function tokenScale(
  { text, video }: { readonly text: Stream; readonly video: Stream },
  textLength: number,
  tokens: number,
): Tensor {
  if (textLength === 0 || text === video) return video.qkScale.unsqueeze(0);
  const [parts = 2, headDim = 1] = video.qkScale.shape;
  const repeated = (scale: Tensor, times: number): Tensor => scale.unsqueeze(0).expand([times, parts, headDim]);
  return concat([repeated(text.qkScale, textLength), repeated(video.qkScale, tokens - textLength)], { axis: 0 });
}
