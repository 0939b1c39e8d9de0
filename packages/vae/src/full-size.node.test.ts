import { Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { expect, test } from "vitest";
import { vaePresets } from "./config.ts";
import { makeLayer } from "./layers.ts";
import { decoderLayout } from "./layout.ts";
import type { LayerSpec } from "./layout.ts";
import { VggFeatures } from "./vgg.ts";

// layers of the public layouts at their true width, a few pixels large

async function finite(t: Tensor): Promise<number[]> {
  const values = [...(await t.data())];
  expect(values.every(Number.isFinite)).toBe(true);
  return values;
}

const { middle, layers } = decoderLayout(vaePresets.wan21);
const upsample = layers.find((spec) => spec.kind === "upsample");

test.each([
  ["residual block", middle[0]],
  ["attention", middle[1]],
  ["upsampling", upsample],
] as const)("Wan2.1's %s runs: 384 channels", async (_, spec: LayerSpec | undefined) => {
  if (!spec) throw new Error("Wan2.1's decoder must have the layer");
  const layer = await makeLayer(spec, { normEps: vaePresets.wan21.normEps, rng: new Rng(1) }).realize();
  const x = await new Rng(2).normal([1, 384, 3, 4, 4]).realize();
  const values = await finite(layer.forward(x, null));
  expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.1);
  for (const parameter of Object.values(layer.parameters())) parameter.dispose();
});

test("VGG16 runs at full width", async () => {
  const network = await new VggFeatures().realize();
  const layers = network.layers(new Rng(3).uniform([1, 3, 16, 16], -1, 1));
  expect(layers).toHaveLength(5);
  for (const layer of layers) expect(Math.max(...(await finite(layer)))).toBeGreaterThan(0);
  for (const parameter of Object.values(network.parameters())) parameter.dispose();
});
