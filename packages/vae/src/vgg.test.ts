import { CheckpointError, Rng, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { saveState } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { loadVgg16, VggFeatures, vggPresets } from "./vgg.ts";

/** torchvision's `vgg16().features`: number, channels in, channels out. */
const published = [
  [0, 3, 64],
  [2, 64, 64],
  [5, 64, 128],
  [7, 128, 128],
  [10, 128, 256],
  [12, 256, 256],
  [14, 256, 256],
  [17, 256, 512],
  [19, 512, 512],
  [21, 512, 512],
  [24, 512, 512],
  [26, 512, 512],
  [28, 512, 512],
] as const;

describe("VggFeatures", () => {
  test("has torchvision's names and sizes, and nothing to train", () => {
    const network = new VggFeatures();
    const shapes = Object.entries(network.parameters()).map(([name, t]) => `${name} ${t.shape.join("x")}`);
    expect(shapes).toEqual(
      published.flatMap(([n, from, to]) => [`features.${n}.weight ${to}x${from}x3x3`, `features.${n}.bias ${to}`]),
    );
    expect(network.numTrainable()).toBe(0);
  });

  test("gives what leaves the last ReLU of each block, before the pooling", () => {
    const layers = new VggFeatures().layers(zeros([2, 3, 32, 48]));
    expect(layers.map((f) => f.shape)).toEqual([
      [2, 64, 32, 48],
      [2, 128, 16, 24],
      [2, 256, 8, 12],
      [2, 512, 4, 6],
      [2, 512, 2, 3],
    ]);
  });
});

describe("loadVgg16", () => {
  const config = { widths: [2, 3], convs: [1, 2] };
  const upstream = new VggFeatures(config, new Rng(1));
  const lins = {
    "lin0.model.1.weight": new Rng(2).uniform([1, 2, 1, 1]),
    "lin1.model.1.weight": new Rng(3).uniform([1, 3, 1, 1]),
  };
  const file = (named: Readonly<Record<string, Tensor>>): Promise<Uint8Array> =>
    saveState({ namedParameters: () => Object.entries(named) });
  const picture = new Rng(4).uniform([1, 3, 8, 8], -1, 1);

  async function expectSame(network: VggFeatures): Promise<void> {
    const [got, wanted] = [network.layers(picture), upstream.layers(picture)];
    for (const [i, f] of wanted.entries()) expect([...((await got[i]?.data()) ?? [])]).toEqual([...(await f.data())]);
  }

  test("reads torchvision's file, whose classifier it leaves out", async () => {
    const network = await loadVgg16(await file({ ...upstream.parameters(), "classifier.0.weight": zeros([2, 2]) }), {
      config,
    });
    await expectSame(network);
    expect(network.channelWeights).toBeNull();
  });

  test("reads LPIPS' channel weights from a file of their own", async () => {
    const network = await loadVgg16(await file(upstream.parameters()), { config, lpips: await file(lins) });
    const weights = await Promise.all((network.channelWeights ?? []).map((w) => w.data()));
    expect(weights.map((w) => [...w])).toEqual(
      await Promise.all(Object.values(lins).map(async (w) => [...(await w.data())])),
    );
  });

  test("reads a whole LPIPS network", async () => {
    // slices of LPIPS end with each block's last ReLU: 0–3, 4–8, …
    const slices = Object.entries(upstream.parameters()).map(([name, t]) => {
      const number = Number(name.split(".")[1]);
      return [name.replace("features.", `net.slice${number < 2 ? 1 : 2}.`), t] as const;
    });
    const copies = Object.entries(lins).map(([name, t]) => [name.replace(/^lin(\d)/, "lins.$1"), t] as const);
    const all = { ...Object.fromEntries([...slices, ...copies]), ...lins, "scaling_layer.shift": zeros([1, 3, 1, 1]) };
    const network = await loadVgg16(await file(all), { config });
    await expectSame(network);
    expect(network.channelWeights?.map((w) => w.size)).toEqual([2, 3]);
  });

  test("refuses what does not fit", async () => {
    const vgg = await file(upstream.parameters());
    await expect(loadVgg16(vgg, { config: vggPresets.narrow })).rejects.toThrow(CheckpointError);
    await expect(loadVgg16(vgg, { config, lpips: vgg })).rejects.toThrow("got none");
    const short = await file({ "lin0.model.1.weight": zeros([1, 2, 1, 1]) });
    await expect(loadVgg16(vgg, { config, lpips: short })).rejects.toThrow("[2, 3] channels, got [2]");
  });
});
