import { CheckpointError, Rng, ShapeError, zeros } from "@omni/core";
import { saveState } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { InceptionA } from "./inception-blocks.ts";
import { InceptionV3 } from "./inception.ts";
import { loadNetwork } from "./load-network.ts";
import { SyncNet } from "./syncnet.ts";

describe("InceptionV3", () => {
  const network = new InceptionV3();

  test("has the published size", () => {
    // torchvision's 27,161,264 without the auxiliary classifier (3,326,696), and with 1008 classes for its 1000
    expect(network.numTrainable()).toBe(27_161_264 - 3_326_696 + 8 * 2049);
  });

  test("makes features of the published shapes from pictures of any size", () => {
    const { block0, block1, block2, block3 } = network.features(zeros([2, 3, 40, 56]));
    expect([block0.shape, block1.shape, block2.shape, block3.shape]).toEqual([
      [2, 64, 73, 73],
      [2, 192, 35, 35],
      [2, 768, 17, 17],
      [2, 2048, 1, 1],
    ]);
    expect(() => network.forward(zeros([2, 1, 40, 56]))).toThrow(ShapeError);
  });

  test("uses running statistics: it is never in training", () => {
    expect(network.training).toBe(false);
  });
});

describe("SyncNet", () => {
  const network = new SyncNet();

  test("has the published size", () => {
    // sum over upstream's state dict without its running statistics
    expect(network.numTrainable()).toBe(13_631_616);
  });

  test("embeds mouths and sound alike", () => {
    expect(network.see(zeros([2, 3, 5, 224, 224])).shape).toEqual([2, 1024]);
    expect(network.hear(zeros([3, 1, 13, 20])).shape).toEqual([3, 1024]);
    expect(() => network.hear(zeros([3, 1, 20, 13]))).toThrow("mfcc must be [B, 1, 13, 20]");
  });
});

describe("loadNetwork", () => {
  const block = (seed: number): InceptionA => new InceptionA(4, 2, new Rng(seed)).eval();

  test("loads by upstream's names, with or without the counters of batch norm", async () => {
    const upstream = block(1);
    const named = Object.entries(upstream.parameters()).filter(([name]) => !name.endsWith("num_batches_tracked"));
    const file = await saveState({ namedParameters: () => named });
    const loaded = await loadNetwork(block(2), file);
    const x = new Rng(3).normal([1, 4, 5, 6]);
    expect([...(await loaded.forward(x).data())]).toEqual([...(await upstream.forward(x).data())]);
    await expect(loadNetwork(block(2), await saveState(upstream))).resolves.toBeDefined();
  });

  test("refuses another network's file", async () => {
    const file = await saveState(new InceptionA(4, 3, new Rng(1)));
    await expect(loadNetwork(block(2), file)).rejects.toThrow(CheckpointError);
    await expect(loadNetwork(block(2), await saveState(block(1).branch1x1))).rejects.toThrow("35 missing");
  });
});
