import type { ByteSource } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkpointError } from "./checkpoint-error.ts";
import { type ByteInput, openSource } from "./open-source.ts";
import { readTorch } from "./read-torch.ts";
import { recognise } from "./recognise.ts";
import { readSafetensors } from "./safetensors.ts";
import { readSharded } from "./sharded.ts";
import type { HubOptions } from "./hub-request.ts";
import { dequantised } from "./dequantised.ts";

/** How a checkpoint is opened. */
export interface OpenOptions extends HubOptions {
  /** int8 and fp8 with scales beside them as the numbers they stand for, or as they are stored. Default `"numbers"`. */
  readonly quantised?: "numbers" | "stored";
}

/**
 * Opens a checkpoint wherever it is: bytes, a Blob or File, a URL, a place on the hub (`hf://owner/name/file`), or in Node a path of a
 * file or folder. What it is shows in its first bytes: safetensors, a file of torch.save (of which nothing is executed), or a
 * `*.index.json`, which stands for the files it lists. Quantised weights become numbers as they are read. `close()` it when done.
 *
 * ```ts
 * const checkpoint = await openCheckpoint("weights/nano.safetensors");
 * ```
 *
 * @throws CheckpointError
 */
export async function openCheckpoint(input: ByteInput, options: OpenOptions = {}): Promise<Checkpoint> {
  const { quantised = "numbers", ...sourceOptions } = options;
  const source = await openSource(input, sourceOptions);
  try {
    const checkpoint = await readCheckpoint(source);
    return quantised === "stored" ? checkpoint : dequantised(checkpoint);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readCheckpoint(source: ByteSource): Promise<Checkpoint> {
  const format = source.name.endsWith(".index.json") ? "index" : await recognise(source);
  switch (format) {
    case "safetensors":
      return readSafetensors(source);
    case "zip":
    case "pickle":
      return readTorch(source);
    case "index":
      return readSharded(source, (fileName) => {
        if (source.sibling !== undefined) return source.sibling(fileName);
        throw checkpointError({
          source: source.name,
          rule: "an index must be opened from a path or URL, where its files can be found",
          got: "an index alone",
          remedy: "open it with readSharded and give its files",
        });
      });
  }
}
