import { CheckpointError, embedding, realize, Rng, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadState, openCheckpoint, recogniseNetwork, renamed } from "@omni/core/checkpoint";
import type { ByteInput, Checkpoint } from "@omni/core/checkpoint";
import type { Module } from "@omni/core/nn";
import { RMSNorm } from "@omni/core/nn";
import { Block } from "./block.ts";
import type { TextConfig } from "./config.ts";
import { checkTokens, paddingBias, T5Encoder } from "./model.ts";
import { bucketTable } from "./relative-position.ts";

/** Options of {@link StreamedT5Encoder.open}. */
export interface StreamOptions {
  /** Type of the matrices on the device; by default as they are stored, where that is bf16 or f16. */
  readonly dtype?: "f32" | "f16" | "bf16";
}

/** Options of {@link StreamedT5Encoder.encode}. */
export interface EncodeOptions {
  readonly onLayer?: (progress: { readonly layer: number; readonly layers: number }) => void;
  /** Checked before each layer. */
  readonly signal?: AbortSignal;
}

// tables of positions and weights of norms are small, and precise
const IS_MATRIX = /\.(?:q|k|v|o|wi|wi_0|wi_1|wo)\.weight$/;

/**
 * A T5 or UMT5 encoder whose weights stay in their file: a layer at a time is on the device, and of the embeddings only the rows that a
 * text uses. UMT5-XXL, 11.4 GB, encodes with 0.4 GB.
 *
 * @see model.ts, whose results it gives
 */
export class StreamedT5Encoder {
  readonly config: TextConfig;
  readonly #checkpoint: Checkpoint;
  readonly #dtype: "f32" | "f16" | "bf16";

  private constructor(config: TextConfig, checkpoint: Checkpoint, dtype: "f32" | "f16" | "bf16") {
    this.config = config;
    this.#checkpoint = checkpoint;
    this.#dtype = dtype;
  }

  /**
   * Opens a checkpoint in transformers' naming or Wan's, and compares its names and shapes with the config; no weight is read yet.
   *
   * @throws CheckpointError listing what is missing or has another shape
   */
  static async open(source: ByteInput, config: TextConfig, { dtype }: StreamOptions = {}): Promise<StreamedT5Encoder> {
    const file = await openCheckpoint(source);
    try {
      const { checkpoint } = recogniseNetwork(file, T5Encoder.format, { config });
      return new StreamedT5Encoder(config, checkpoint, dtype ?? storedType(checkpoint));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * @param ids token ids, i32 [B, L]
   * @param mask [B, L], 1 = token, 0 = padding; null = no padding
   * @returns states, [B, L, width], realised; the caller disposes them
   * @throws ShapeError as `T5Encoder.forward`; RangeError for an id beyond the vocabulary; the signal's reason when aborted
   */
  async encode(ids: Tensor, mask: Tensor | null, { onLayer, signal }: EncodeOptions = {}): Promise<Tensor> {
    checkTokens("StreamedT5Encoder", ids, mask);
    const { layers, relativePositions, width, normEps } = this.config;
    const [, length = 0] = ids.shape;
    const buckets = tensor(bucketTable(length, this.config));
    const padding = paddingBias(mask);
    let shared: Tensor | null = null;
    let x = await this.#embed(ids);
    try {
      for (let index = 0; index < layers; index++) {
        signal?.throwIfAborted();
        const block = new Block(this.config, { index, rng: new Rng(0) });
        block.to(this.#dtype, (name) => IS_MATRIX.test(name));
        await this.#load(block, `encoder.block.${index}.`);
        const bias: Tensor = block.positionBias(buckets, length) ?? shared ?? zeros([1, 1, 1, length]);
        const next = block.forward(x, padding ? bias.add(padding) : bias);
        if (relativePositions === "shared") shared = bias;
        await realize(shared ? [next, shared] : [next]);
        disposeAll(block);
        x.dispose();
        x = next;
        onLayer?.({ layer: index + 1, layers });
      }
      const norm = new RMSNorm(width, { eps: normEps });
      await this.#load(norm, "encoder.final_layer_norm.");
      const output = await norm.forward(x).realize();
      disposeAll(norm);
      return output;
    } finally {
      x.dispose();
      shared?.dispose();
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#checkpoint.close();
  }

  async #load(part: Module, prefix: string): Promise<void> {
    await loadState(
      part,
      renamed(this.#checkpoint, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : null)),
    );
  }

  /** The embeddings of ids, [B, L, width]: rows are read one by one. */
  async #embed(ids: Tensor): Promise<Tensor> {
    const { vocabSize, width } = this.config;
    const table = this.#checkpoint.tensors["shared.weight"];
    if (!table) throw new CheckpointError("StreamedT5Encoder: the checkpoint must hold shared.weight");
    const values = await ids.data();
    const used = [...new Set(values)];
    const rows = new Float32Array(used.length * width);
    for (const [i, id] of used.entries()) {
      if (!(id >= 0 && id < vocabSize))
        throw new RangeError(`StreamedT5Encoder: ids must lie in the vocabulary of ${vocabSize}, got ${id}`);
      rows.set(await table.range("f32", id * width, width), i * width);
    }
    const places = Int32Array.from(values, (id) => used.indexOf(id));
    const picked = embedding(tensor(rows, { shape: [used.length, width] }), tensor(places, { shape: ids.shape }));
    return picked.realize();
  }
}

/** What a file's matrices are stored as, where the device holds that. */
function storedType({ tensors }: Checkpoint): "f32" | "f16" | "bf16" {
  const matrix = Object.entries(tensors).find(([name]) => IS_MATRIX.test(name))?.[1];
  if (matrix?.dtype === "BF16") return "bf16";
  return matrix?.dtype === "F16" ? "f16" : "f32";
}

function disposeAll(module: Module): void {
  for (const [, parameter] of module.namedParameters()) parameter.dispose();
}
