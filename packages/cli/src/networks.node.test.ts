import { readFileSync } from "node:fs";
import { memory } from "@omni/core";
import type { Checkpoint, StoredTensor } from "@omni/core/checkpoint";
import { bytesSource, readSafetensors, writeSafetensors } from "@omni/core/checkpoint";
import { publishedState } from "@omni/core/testing";
import { describe, expect, test } from "vitest";
import { networkOfLayout, networks, recogniseFile } from "./networks.ts";

const read = async (): Promise<never> => {
  throw new Error("nothing may be read");
};

/** A published file's names and shapes, without its values. */
function published(name: string): Checkpoint {
  const list = readFileSync(new URL(`../../${name}.tsv`, import.meta.url), "utf8");
  const tensors = Object.entries(publishedState(list)).map(([key, { shape }]): [string, StoredTensor] => [
    key,
    { dtype: "BF16", shape, data: read, pieces: read as never, range: read, stored: read, open: read },
  ]);
  return { tensors: Object.fromEntries(tensors), metadata: {}, close: async () => {} };
}

const shapesOf = ({ tensors }: Checkpoint, leaves: (name: string) => boolean = () => true) =>
  Object.fromEntries(Object.entries(tensors).flatMap(([name, { shape }]) => (leaves(name) ? [[name, shape]] : [])));

describe("published files", () => {
  test.each([
    ["vae/fixtures/wan2.1-vae", "wan2.1-vae"],
    ["dit/fixtures/wan2.1-t2v-1.3b", "wan2.1-dit"],
    ["dit/fixtures/wan2.1-t2v-14b", "wan2.1-dit"],
    ["dit/fixtures/sd3-medium", "sd3"],
    ["text/fixtures/umt5-xxl-wan", "umt5-wan"],
  ])(
    "%s is recognised as %s, becomes ours and itself again, and the other layouts' and itself again",
    async (file, layout) => {
      const before = (await memory()).live;
      const upstream = published(file);
      const known = recogniseFile(upstream);
      expect(known?.layout?.name).toBe(layout);
      if (!known) return;
      const network = networkOfLayout(layout);
      const back = network?.exported(known.checkpoint, known.config, layout);
      expect(back && shapesOf(back)).toEqual(shapesOf(upstream));
      for (const other of network?.layouts ?? []) {
        const exported = network?.exported(known.checkpoint, known.config, other.name);
        const again = exported && recogniseFile(exported);
        expect(again?.layout?.name).toBe(other.name);
        expect(again?.config).toEqual(known.config);
        expect(again && shapesOf(again.checkpoint)).toEqual(shapesOf(known.checkpoint));
      }
      expect((await memory()).live).toBeLessThanOrEqual(before); // the collector may have freed some
    },
  );

  test("wav2vec2-base-960h becomes the encoder, its heads left out by name", () => {
    const upstream = published("audio/fixtures/wav2vec2-base-960h");
    const known = recogniseFile(upstream);
    expect(known?.layout?.name).toBe("wav2vec2");
    expect(known?.unused).toEqual(["wav2vec2.masked_spec_embed", "lm_head.weight", "lm_head.bias"]);
    const back = known && networkOfLayout("wav2vec2")?.exported(known.checkpoint, known.config, "wav2vec2");
    // upstream's own reader takes its encoder without the prefix
    const encoder = Object.entries(shapesOf(upstream, (name) => !known?.unused.includes(name)));
    expect(back && shapesOf(back)).toEqual(
      Object.fromEntries(encoder.map(([name, shape]) => [name.replace(/^wav2vec2\./, ""), shape])),
    );
  });
});

test("an unknown file is nobody's", async () => {
  const file = await readSafetensors(
    bytesSource(writeSafetensors({ "backbone.weight": { shape: [1], data: Float32Array.of(1) } })),
  );
  expect(recogniseFile(file)).toBeNull();
});

test("layouts have names of their own", () => {
  const names = networks.flatMap(({ layouts }) => layouts.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});
