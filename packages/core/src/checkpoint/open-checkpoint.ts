import { checkpointError } from "./checkpoint-error.ts";
import { type ByteInput, openSource } from "./open-source.ts";
import { readSafetensors, type Safetensors } from "./safetensors.ts";
import { readShardedSafetensors } from "./sharded.ts";
import type { UrlOptions } from "./url-source.ts";

/**
 * Opens a checkpoint wherever it is: bytes, a Blob or File, a URL, or in Node a path. A name that ends in `.index.json` stands for
 * the files it lists. `close()` it when done.
 *
 * ```ts
 * const checkpoint = await openCheckpoint("weights/nano.safetensors");
 * ```
 *
 * @throws CheckpointError
 */
export async function openCheckpoint(input: ByteInput, options: UrlOptions = {}): Promise<Safetensors> {
  const source = await openSource(input, options);
  try {
    if (!source.name.endsWith(".index.json")) return await readSafetensors(source);
    return await readShardedSafetensors(source, (fileName) => {
      if (source.sibling !== undefined) return source.sibling(fileName);
      throw checkpointError({
        source: source.name,
        rule: "an index must be opened from a path or URL, where its files can be found",
        got: "an index alone",
        remedy: "open it with readShardedSafetensors and give its files",
      });
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}
