import type { ByteSource } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkpointError } from "./checkpoint-error.ts";
import { type ByteInput, openSource } from "./open-source.ts";
import { readTorch } from "./read-torch.ts";
import { recognise } from "./recognise.ts";
import { readSafetensors } from "./safetensors.ts";
import { readSharded } from "./sharded.ts";
import type { UrlOptions } from "./url-source.ts";

/**
 * Opens a checkpoint wherever it is: bytes, a Blob or File, a URL, or in Node a path. What it is shows in its first bytes:
 * safetensors, a file of torch.save (of which nothing is executed), or a `*.index.json`, which stands for the files it lists.
 * `close()` it when done.
 *
 * ```ts
 * const checkpoint = await openCheckpoint("weights/nano.safetensors");
 * ```
 *
 * @throws CheckpointError
 */
export async function openCheckpoint(input: ByteInput, options: UrlOptions = {}): Promise<Checkpoint> {
  const source = await openSource(input, options);
  try {
    return await readCheckpoint(source);
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
