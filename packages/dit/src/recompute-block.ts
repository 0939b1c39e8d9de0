import { concat, recompute } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { Block, BlockContext, Streams } from "./block.ts";

/**
 * A block whose intermediate results are not kept for the backward pass, but computed again: training then holds the streams between blocks and
 * one block's inside.
 *
 * @see Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"
 */
export function recomputedBlock(block: Block, streams: Streams, context: BlockContext): Streams {
  const { time, audio } = context;
  let result = streams;
  // one tensor in one segment: both streams as rows behind one another
  const rows = (x: Tensor): Tensor => x.reshape([x.shape[0] ?? 1, -1, x.shape.at(-1) ?? 1]);
  const joined = recompute(
    () => {
      result = block.forward(streams, context);
      const { video, text } = result;
      return text ? concat([rows(video), rows(text)], { axis: 1 }) : rows(video);
    },
    [streams.video, streams.text, time.video, time.text, audio].filter((x) => x !== null),
  );
  const { video, text } = result;
  const videoRows = rows(video).shape[1] ?? 0;
  return {
    video: joined.slice(1, 0, videoRows).reshape(video.shape),
    text: text && joined.slice(1, videoRows).reshape(text.shape),
  };
}
