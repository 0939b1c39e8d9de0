import { concat, indexSelect, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { ClipCoding } from "./coding.ts";
import { compression } from "./config.ts";
import type { CausalVae } from "./model.ts";
import { DecodeStream, EncodeStream } from "./streaming.ts";
import { addTile, cutTiles } from "./tiling.ts";
import type { TileScales, Tiling, VideoStream } from "./tiling.ts";

/**
 * Normalised latents of a clip, coded as asked; realised.
 *
 * @param video [B, 3, 1 + 4n, H, W]
 * @returns [B, C, 1 + n, h, w]; the caller disposes them
 */
export async function encodeClip(vae: CausalVae, video: Tensor, coding: ClipCoding): Promise<Tensor> {
  if (coding === "whole") return vae.encode(video).realize();
  const { temporal, spatial } = compression(vae.config);
  const later = ((video.shape[2] ?? 1) - 1) / temporal;
  const chunks = video.split([1, ...new Array<number>(later).fill(temporal)], 2);
  const parts = await streamed(chunks, () => new EncodeStream(vae), coding, { from: spatial, to: 1 });
  const [only, ...more] = parts;
  if (only && more.length === 0) return only;
  const latents = await concat(parts, { axis: 2 }).realize();
  for (const part of parts) part.dispose();
  return latents;
}

/**
 * Frames of normalised latents, coded as asked.
 *
 * @param latents [B, C, 1 + n, h, w]
 * @returns the clip in one or more pieces, joined [B, 3, 1 + 4n, 8h, 8w]; realised, the caller disposes them
 */
export async function decodeClip(vae: CausalVae, latents: Tensor, coding: ClipCoding): Promise<Tensor[]> {
  if (coding === "whole") return [await vae.decode(latents).realize()];
  const { spatial } = compression(vae.config);
  // an index is a value and not a part of the plan: all chunks but the first share one
  const chunks = Array.from({ length: latents.shape[2] ?? 0 }, (_, t) =>
    indexSelect(latents, 2, tensor(Int32Array.of(t))),
  );
  return streamed(chunks, () => new DecodeStream(vae), coding, { from: 1, to: spatial });
}

/** Every chunk's result. Tiles run one after the other through all of time, so that the features of only one are remembered. */
async function streamed(
  chunks: readonly Tensor[],
  open: () => VideoStream,
  coding: "frames" | Tiling,
  scales: TileScales,
): Promise<Tensor[]> {
  const run = async (pass: (stream: VideoStream) => Promise<void>): Promise<void> => {
    const stream = open();
    try {
      await pass(stream);
    } finally {
      stream.dispose();
    }
  };
  const results: Tensor[] = [];
  if (coding === "frames") {
    await run(async (stream) => {
      for (const [t, chunk] of chunks.entries()) results.push(await stream.push(chunk, t === chunks.length - 1));
    });
    return results;
  }
  const [, , , height = 0, width = 0] = chunks[0]?.shape ?? [];
  const cells = [height / scales.from, width / scales.from] as const;
  for (const tile of cutTiles(cells, coding, scales.to))
    await run(async (stream) => {
      for (const [t, chunk] of chunks.entries())
        results[t] = await addTile(results[t] ?? null, chunk, {
          tile,
          stream,
          cells,
          scales,
          last: t === chunks.length - 1,
        });
    });
  return results;
}
