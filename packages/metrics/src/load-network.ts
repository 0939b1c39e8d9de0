import { CheckpointError } from "@omni/core";
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
    const names = Object.keys(network.parameters());
    const missing = names.filter((name) => !COUNTER.test(name) && !(name in checkpoint.tensors));
    const unexpected = Object.keys(checkpoint.tensors).filter((name) => !names.includes(name));
    if (missing.length > 0 || unexpected.length > 0)
      throw new CheckpointError(
        `loadNetwork: the file must hold the network's tensors, got ${missing.length} missing (${missing.slice(0, 3).join(", ")}) and ` +
          `${unexpected.length} unexpected (${unexpected.slice(0, 3).join(", ")})`,
      );
    await loadState(network, checkpoint, { strict: false });
  } finally {
    await checkpoint.close();
  }
  return network;
}
