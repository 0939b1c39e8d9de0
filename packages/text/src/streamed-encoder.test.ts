import { CheckpointError, getDevice, Rng, tensor } from "@omni/core";
import { saveState, writeSafetensors } from "@omni/core/checkpoint";
import { beforeAll, describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import type { TextConfig } from "./config.ts";
import { T5Encoder } from "./model.ts";
import { StreamedT5Encoder } from "./streamed-encoder.ts";

const tiny = {
  ...presets.nano,
  vocabSize: 40,
  width: 16,
  layers: 4,
  heads: 2,
  headDim: 8,
  ffnDim: 24,
} as const satisfies TextConfig;
const shared = { ...tiny, relativePositions: "shared", feedForward: "relu" } as const satisfies TextConfig;

const ids = tensor(
  [
    [5, 39, 7, 1, 0],
    [9, 1, 0, 0, 0],
  ],
  { dtype: "i32" },
);
const mask = tensor([
  [1, 1, 1, 1, 0],
  [1, 1, 0, 0, 0],
]);

interface Saved {
  readonly encoder: T5Encoder;
  readonly file: Uint8Array;
}
const saved = async (config: TextConfig): Promise<Saved> => {
  const encoder = await new T5Encoder(config, { rng: new Rng(4) }).realize();
  return { encoder, file: await saveState(encoder) };
};
let perLayer: Saved;
beforeAll(async () => {
  perLayer = await saved(tiny);
});

describe("StreamedT5Encoder", () => {
  test("gives the encoder's states, with a table of positions a layer", async () => {
    const streamed = await StreamedT5Encoder.open(perLayer.file, tiny);
    const states = await streamed.encode(ids, mask);
    expect(await states.sub(perLayer.encoder.forward(ids, mask)).abs().max().item()).toBeLessThan(1e-5);
    await streamed.close();
  });

  test("gives the encoder's states, with one table for all layers", async () => {
    const { encoder, file } = await saved(shared);
    const streamed = await StreamedT5Encoder.open(file, shared);
    const states = await streamed.encode(ids, null);
    expect(await states.sub(encoder.forward(ids, null)).abs().max().item()).toBeLessThan(1e-5);
  });

  test("holds one layer at a time", async () => {
    const { pool } = await getDevice();
    const layerBytes = 4 * (4 * 16 * 16 + 3 * 16 * 24);
    const streamed = await StreamedT5Encoder.open(perLayer.file, tiny);
    const during: number[] = [];
    await streamed.encode(ids, mask, { onLayer: () => during.push(pool.liveBytes) });
    expect(during).toHaveLength(4);
    // the last layer holds no more than the first, though three have gone by
    expect((during[3] ?? Infinity) - (during[0] ?? 0)).toBeLessThan(layerBytes);
  });

  test("stops between layers when aborted", async () => {
    const streamed = await StreamedT5Encoder.open(perLayer.file, tiny);
    const controller = new AbortController();
    let layers = 0;
    const run = streamed.encode(ids, mask, {
      onLayer: () => {
        if (++layers === 2) controller.abort(new Error("enough"));
      },
      signal: controller.signal,
    });
    await expect(run).rejects.toThrow("enough");
    expect(layers).toBe(2);
  });

  test("refuses an id beyond the vocabulary", async () => {
    const streamed = await StreamedT5Encoder.open(perLayer.file, tiny);
    await expect(streamed.encode(tensor([[40]], { dtype: "i32" }), null)).rejects.toThrow(
      "ids must lie in the vocabulary of 40, got 40",
    );
  });

  test("says what does not fit before it reads a weight", async () => {
    await expect(StreamedT5Encoder.open(perLayer.file, { ...tiny, layers: 5, ffnDim: 32 })).rejects.toThrow(
      /must be \[32, 16\], is \[24, 16\].* and \d+ more/,
    );
    const stranger = writeSafetensors({ "visual.weight": { shape: [1], data: Float32Array.of(1) } });
    await expect(StreamedT5Encoder.open(stranger, tiny)).rejects.toThrow(CheckpointError);
  });
});
