import { type ByteInput, type ByteSource, loadState, openCheckpoint } from "@omni/core/checkpoint";
import type { Module } from "@omni/core/nn";

/** What batch norms count in training: evaluation has no use for it, and not every file has it. */
const COUNTER = /\.num_batches_tracked$/;

/**
 * Loads a public file into a network with upstream's names; nothing changes unless all fits.
 *
 * @param source bytes, a Blob, a URL, or in Node a path: safetensors, or a state dict that torch.save wrote
 * @throws CheckpointError when names or shapes do not agree
 */
export async function loadNetwork<M extends Module>(network: M, source: Exclude<ByteInput, ByteSource>): Promise<M> {
  const checkpoint = await openCheckpoint(source);
  try {
    await loadState(
      {
        namedParameters: () =>
          [...network.namedParameters()].filter(([name]) => !COUNTER.test(name) || name in checkpoint.tensors),
        loadStateDict: (state, options) => network.loadStateDict(state, options),
      },
      checkpoint,
    );
  } finally {
    await checkpoint.close();
  }
  return network;
}
