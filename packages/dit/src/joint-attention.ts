import { attention, concat, ones } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { Stream } from "./layers.ts";
import { headFactor } from "./modulation.ts";
import { rearranged } from "./packing.ts";
import type { Pack } from "./packing.ts";
import { applyRope } from "./rope3d.ts";
import type { Rope } from "./rope3d.ts";

/** What all blocks' joint attentions share: positions, and which keys may be seen. */
export interface JointContext {
  /** Null where tokens carry their positions in themselves. */
  readonly rope: Rope | null;
  /** Additive, [B, 1, 1, M]; null where every token may be seen. */
  readonly keyMask: Tensor | null;
  /** How several clips share the sequence; null where each sample is one clip. */
  readonly pack: Pack | null;
}

/**
 * Attention over text and video tokens at once, each projected by its own stream's weights.
 *
 * Queries and keys are RMS-normed, scaled per channel and rotated, each as the streams have it; scores carry 1/√headDim.
 *
 * @param text modulated text tokens, [B, 1, L, D], packed [1, L, 1, D], or null
 * @param video modulated video tokens, [B, frames, P, D], packed [1, N, 1, D]
 * @param onlyFrom where not null, video frames before this one and all text are keys only
 * @returns heads joined again: `text` as it came or null, `video` [B, frames − onlyFrom, P, D]
 */
export function jointAttention(
  streams: TokenStreams,
  { text, video }: { readonly text: Tensor | null; readonly video: Tensor },
  { rope, keyMask: mask, pack }: JointContext,
  onlyFrom: number | null,
): { readonly text: Tensor | null; readonly video: Tensor } {
  const [batch = 0, frames = 0, perFrame = 0, width = 0] = video.shape;
  const { headDim } = streams.video.config;
  const heads = width / headDim;
  const textLength = text ? (text.shape[1] ?? 1) * (text.shape[2] ?? 1) : 0;
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
  const qk = queriesAndKeys(qkv.slice(2, 0, 2), streams, { textLength, rope });
  const part = (of: Tensor, index: number): Tensor => of.slice(2, index, index + 1).squeeze(2);
  const ordered = (x: Tensor): Tensor => (pack ? rearranged(x, pack.byClip) : x).permute([0, 2, 1, 3]);

  const skipped = onlyFrom === null ? 0 : textLength + onlyFrom * perFrame;
  const queries = skipped === 0 ? ordered(part(qk, 0)) : part(qk, 0).permute([0, 2, 1, 3]).slice(2, skipped, tokens);
  const segments = pack && { queries: skipped === 0 ? pack.clips.all : pack.clips.noisy, keys: pack.clips.all };
  const attended = attention(queries, ordered(part(qk, 1)), ordered(part(qkv, 2)), {
    ...(mask && { mask }),
    ...(segments && { segments }),
  });
  const rows = attended.permute([0, 2, 1, 3]).reshape([batch, tokens - skipped, width]);
  const joined = pack && skipped === 0 ? rearranged(rows, pack.byRow) : rows;
  if (onlyFrom !== null || !text) return { text: null, video: joined.reshape([batch, -1, perFrame, width]) };
  return {
    text: joined.slice(1, 0, textLength).reshape(text.shape),
    video: joined.slice(1, textLength, tokens).reshape([batch, frames, perFrame, width]),
  };
}

interface TokenStreams {
  readonly text: Stream;
  readonly video: Stream;
}

/** What a stream says of its queries and keys. */
interface QkStream extends Pick<Stream, "qkScale"> {
  readonly config: Pick<Stream["config"], "qkNorm">;
}
interface QkStreams {
  readonly text: QkStream;
  readonly video: QkStream;
}

/** Norm, scale and rotation of [B, M, 2 (q, k), H, headDim]. */
export function queriesAndKeys(
  qk: Tensor,
  streams: QkStreams,
  { textLength, rope }: { readonly textLength: number; readonly rope: Rope | null },
): Tensor {
  const { qkNorm } = streams.video.config;
  const [batch = 1, tokens = 1, parts = 2, heads = 1, headDim = 1] = qk.shape;
  if (qkNorm === "none") return rope ? applyRope(qk, null, rope) : qk;
  const factor = qkNorm === "head" ? headFactor(qk) : headFactor(qk.reshape([batch, tokens, parts, -1])).unsqueeze(-1);
  const scale = tokenScale(streams, textLength, tokens, [parts, qkNorm === "head" ? 1 : heads, headDim]);
  // a rotation keeps a row's factor: put last, all of this is one kernel
  return (rope ? applyRope(qk, scale, rope) : qk.mul(scale)).mul(factor);
}

/** Each token's query and key scale: [1, 2, 1 or H, headDim] where both streams share it, else [M, 2, 1 or H, headDim]. */
function tokenScale(
  { text, video }: QkStreams,
  textLength: number,
  tokens: number,
  shape: readonly [parts: number, heads: number, headDim: number],
): Tensor {
  const own = ({ qkScale }: QkStream): Tensor => (qkScale ?? ones(shape)).reshape([1, ...shape]);
  if (textLength === 0 || text === video) return own(video);
  const repeated = (stream: QkStream, times: number): Tensor => own(stream).expand([times, ...shape]);
  return concat([repeated(text, textLength), repeated(video, tokens - textLength)], { axis: 0 });
}
