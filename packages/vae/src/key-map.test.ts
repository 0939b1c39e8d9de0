import { describe, expect, test } from "vitest";
import { Rng } from "@omni/core";
import { loadVae, loadWanVae, saveVae } from "./checkpoint.ts";
import { writeSafetensors } from "@omni/core/checkpoint";
import { vaePresets } from "./config.ts";
import { fromWanKey, fromWanState } from "./key-map.ts";
import { CausalVae } from "./model.ts";
import { awakeVae, tinyNano } from "./tiny.fixture.ts";

/** Names and shapes of Wan2.1's VAE as its published checkpoint has them, for levels of these widths. */
function wanShapes([d0, d1, d2, d3]: readonly [number, number, number, number]): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const conv = (name: string, shape: readonly number[]): void => {
    shapes.set(`${name}.weight`, shape);
    shapes.set(`${name}.bias`, shape.slice(0, 1));
  };
  const residual = (name: string, from: number, to: number): void => {
    shapes.set(`${name}.residual.0.gamma`, [from, 1, 1, 1]);
    conv(`${name}.residual.2`, [to, from, 3, 3, 3]);
    shapes.set(`${name}.residual.3.gamma`, [to, 1, 1, 1]);
    conv(`${name}.residual.6`, [to, to, 3, 3, 3]);
    if (from !== to) conv(`${name}.shortcut`, [to, from, 1, 1, 1]);
  };
  const half = (name: string, pixels: readonly [number, number], latents: readonly [number, number]): void => {
    const [first, last] = name === "encoder" ? [pixels, latents] : [latents, pixels];
    conv(`${name}.conv1`, [first[1], first[0], 3, 3, 3]);
    residual(`${name}.middle.0`, d3, d3);
    shapes.set(`${name}.middle.1.norm.gamma`, [d3, 1, 1]);
    conv(`${name}.middle.1.to_qkv`, [3 * d3, d3, 1, 1]);
    conv(`${name}.middle.1.proj`, [d3, d3, 1, 1]);
    residual(`${name}.middle.2`, d3, d3);
    shapes.set(`${name}.head.0.gamma`, [last[1], 1, 1, 1]);
    conv(`${name}.head.2`, [last[0], last[1], 3, 3, 3]);
  };
  half("encoder", [3, d0], [32, d3]);
  half("decoder", [3, d0], [16, d3]);

  const down = "encoder.downsamples";
  for (const [i, from, to] of [
    [0, d0, d0],
    [1, d0, d0],
    [3, d0, d1],
    [4, d1, d1],
    [6, d1, d2],
    [7, d2, d2],
    [9, d2, d3],
    [10, d3, d3],
  ] as const)
    // prettier-ignore
    residual(`${down}.${i}`, from, to);
  for (const [i, dim] of [[2, d0], [5, d1], [8, d2]] as const) conv(`${down}.${i}.resample.1`, [dim, dim, 3, 3]); // prettier-ignore
  for (const [i, dim] of [[5, d1], [8, d2]] as const) conv(`${down}.${i}.time_conv`, [dim, dim, 3, 1, 1]); // prettier-ignore

  const up = "decoder.upsamples";
  for (const [i, from, to] of [
    [0, d3, d3],
    [1, d3, d3],
    [2, d3, d3],
    [4, d3 / 2, d2],
    [5, d2, d2],
    [6, d2, d2],
    [8, d2 / 2, d1],
    [9, d1, d1],
    [10, d1, d1],
    [12, d1 / 2, d0],
    [13, d0, d0],
    [14, d0, d0],
  ] as const)
    // prettier-ignore
    residual(`${up}.${i}`, from, to);
  for (const [i, dim] of [[3, d3], [7, d2], [11, d1]] as const) conv(`${up}.${i}.resample.1`, [dim / 2, dim, 3, 3]); // prettier-ignore
  for (const [i, dim] of [[3, d3], [7, d2]] as const) conv(`${up}.${i}.time_conv`, [2 * dim, dim, 3, 1, 1]); // prettier-ignore

  conv("conv1", [32, 32, 1, 1, 1]);
  conv("conv2", [16, 16, 1, 1, 1]);
  return shapes;
}

describe("fromWanKey", () => {
  const wan = wanShapes([96, 192, 384, 384]);
  const ours = new CausalVae(vaePresets.wan21).stateDict();

  test("uses every name of the checkpoint exactly once", () => {
    expect(wan.size).toBe(194); // tensors in Wan2.1_VAE.pth
    const names = [...wan.keys()].map(fromWanKey);
    expect(new Set(names).size).toBe(194);
    expect(names.sort()).toEqual(Object.keys(ours).sort());
  });

  test("every tensor has the size of its counterpart", () => {
    const state = Object.fromEntries([...wan].map(([name, shape]) => [name, { shape }]));
    expect(Object.keys(fromWanState(state, ours))).toHaveLength(194);
  });

  test("refuses a checkpoint of another layout", () => {
    const state = Object.fromEntries([...wan].map(([name, shape]) => [name, { shape }]));
    const { "conv1.weight": quant, ...rest } = state;
    expect(() => fromWanState(rest, ours)).toThrow("1 tensors are missing, such as quant.weight");
    expect(() => fromWanState({ ...rest, "conv9.weight": { shape: [1] } }, ours)).toThrow(
      '"conv9.weight" must be a tensor',
    );
    expect(() => fromWanState({ ...rest, "conv1.weight": { shape: [1] } }, ours)).toThrow(
      "must hold [32, 32, 1, 1, 1]",
    );
    expect(quant).toBeDefined();
  });
});

describe("checkpoints", () => {
  test("a saved model loads with its config and statistics, and encodes alike", async () => {
    const vae = awakeVae(tinyNano);
    vae.setLatentStatistics({ mean: [1, 2, 3], std: [4, 5, 6] });
    const loaded = await loadVae(await saveVae(vae));
    expect(loaded.config).toEqual(vae.config);
    const video = new Rng(1).uniform([1, 3, 5, 4, 4], -1, 1);
    expect([...(await loaded.encode(video).data())]).toEqual([...(await vae.encode(video).data())]);
  });

  test("weights under Wan's names load into its layout", async () => {
    const dims = [4, 4, 8, 8] as const;
    const bytes = writeSafetensors(
      Object.fromEntries(
        [...wanShapes(dims)].map(([name, shape]) => {
          const size = shape.reduce((n, s) => n * s, 1);
          return [name, { shape, data: new Float32Array(size).fill(name === "conv2.bias" ? 7 : 0) }];
        }),
      ),
    );
    const vae = await loadWanVae(bytes, { ...vaePresets.wan21, encoderDims: dims, decoderDims: dims });
    expect([...((await vae.postQuant?.bias?.data()) ?? [])]).toEqual(new Array(16).fill(7));
  });

  test("refuses a file that holds something else", async () => {
    const bytes = writeSafetensors({ x: { shape: [1], data: new Float32Array(1) } });
    await expect(loadVae(bytes)).rejects.toThrow("must hold an omni-vae");
  });
});
