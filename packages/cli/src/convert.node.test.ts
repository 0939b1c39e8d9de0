import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { zeros } from "@omni/core";
import { keySources, openCheckpoint, streamStored, writeFileAtomic, writeSafetensors } from "@omni/core/checkpoint";
import { WanDit, wanDiffusersRules, wanRules } from "@omni/dit";
import type { WanConfig } from "@omni/dit";
import { omni, testFolder } from "./testing.fixture.ts";
import type { Folder } from "./testing.fixture.ts";

/** Wan's layout in miniature: one head of its true width, so that shapes tell the config. */
const config: WanConfig = {
  latentChannels: 2,
  outChannels: 2,
  textDim: 6,
  width: 128,
  headDim: 128,
  depth: 2,
  ffnDim: 144,
  timeDim: 8,
  crossNorm: true,
};

const valueOf = (key: string, i: number): number => Math.sin(key.length * 7 + i * 0.37) * (1 + (i % 5));

/** A file under upstream's names, every value known by name and place. */
function upstream(rules: typeof wanRules): Uint8Array {
  const own = new WanDit(config).stateDict();
  const file: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [name, { keys, join }] of keySources(Object.keys(own), rules))
    for (const key of keys) {
      const shape = join.theirs(own[name]?.shape ?? [], keys.length);
      const size = shape.reduce((product, n) => product * n, 1);
      file[key] = { shape, data: Float32Array.from({ length: size }, (_, i) => valueOf(key, i)) };
    }
  return writeSafetensors(file, { metadata: { format: "pt" } });
}

async function contents(path: string): Promise<Record<string, { shape: readonly number[]; data: Float32Array }>> {
  const file = await openCheckpoint(path);
  const entries = Object.entries(file.tensors).map(
    async ([name, tensor]) => [name, { shape: tensor.shape, data: await tensor.data("f32") }] as const,
  );
  const held = Object.fromEntries(await Promise.all(entries));
  await file.close();
  return held;
}

let folder: Folder;
beforeAll(async () => {
  folder = await testFolder();
  await writeFile(folder.at("wan.safetensors"), upstream(wanRules));
});
afterAll(() => folder.remove());

describe("omni convert", () => {
  test("upstream → ours → upstream gives every value back", async () => {
    const there = await omni(["convert", folder.at("wan.safetensors"), folder.at("ours.safetensors")]);
    expect(there.code, there.stderr).toBe(0);
    expect(there.stdout).toMatch(/wan2\.1-dit → omni, \d+ tensors, .* 1 file/);
    const loaded = await WanDit.load(folder.at("ours.safetensors"));
    expect(loaded.config).toEqual(config);
    const [first] = await (loaded.stateDict()["blocks.0.video.qkv.weight"] ?? zeros([1])).slice(0, 128, 129).data();
    expect(first).toBeCloseTo(valueOf("blocks.0.self_attn.k.weight", 0), 6);

    const back = await omni([
      "convert",
      folder.at("ours.safetensors"),
      folder.at("back.safetensors"),
      "--to",
      "wan2.1-dit",
    ]);
    expect(back.code, back.stderr).toBe(0);
    expect(await contents(folder.at("back.safetensors"))).toEqual(await contents(folder.at("wan.safetensors")));
  });

  test("one public layout becomes the other", async () => {
    const args = ["convert", folder.at("wan.safetensors"), folder.at("diffusers.safetensors")];
    const { code, stderr } = await omni([...args, "--to", "wan2.1-dit-diffusers", "--from", "wan2.1-dit"]);
    expect(code, stderr).toBe(0);
    const theirs = new Set(
      [...keySources(Object.keys(new WanDit(config).stateDict()), wanDiffusersRules).values()].flatMap(
        ({ keys }) => keys,
      ),
    );
    const held = await contents(folder.at("diffusers.safetensors"));
    expect(new Set(Object.keys(held))).toEqual(theirs);
    // the same tensor under its other name
    expect(held["blocks.1.attn1.to_q.weight"]).toEqual(
      (await contents(folder.at("wan.safetensors")))["blocks.1.self_attn.q.weight"],
    );
  });

  test.each([
    ["f16", "F16", 2 ** -11],
    ["bf16", "BF16", 2 ** -8],
  ] as const)("%s rounds to its own digits", async (dtype, stored, relative) => {
    const out = folder.at(`${dtype}.safetensors`);
    expect((await omni(["convert", folder.at("wan.safetensors"), out, "--to", "keep", "--dtype", dtype])).code).toBe(0);
    const file = await openCheckpoint(out);
    expect(new Set(Object.values(file.tensors).map((tensor) => tensor.dtype))).toEqual(new Set([stored]));
    await file.close();
    const { data = [] } = (await contents(out))["blocks.0.ffn.0.weight"] ?? {};
    // half of the last digit's place, relative to the value
    for (const [i, got] of data.entries()) {
      const wanted = valueOf("blocks.0.ffn.0.weight", i);
      expect(Math.abs(got - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * relative + 1e-7);
    }
  });

  test("int8 is within half a step of each row's scale, and loads", async () => {
    const out = folder.at("int8.safetensors");
    const { code, stderr } = await omni(["convert", folder.at("wan.safetensors"), out, "--dtype", "int8"]);
    expect(code, stderr).toBe(0);
    const raw = await openCheckpoint(out, { quantised: "stored" });
    expect(raw.tensors["blocks.0.video.ffn.fc1.weight"]?.dtype).toBe("I8");
    expect(raw.tensors["blocks.0.video.ffn.fc1.weight_scale"]?.shape).toEqual([144, 1]);
    expect(raw.tensors["blocks.0.video.ffn.fc1.bias"]?.dtype).toBe("F32");
    await raw.close();
    const model = await WanDit.load(out);
    const weight = await (model.stateDict()["blocks.0.video.ffn.fc1.weight"] ?? zeros([1])).data();
    for (let row = 0; row < 144; row++) {
      const values = Array.from({ length: 128 }, (_, i) => valueOf("blocks.0.ffn.0.weight", row * 128 + i));
      const step = Math.max(...values.map(Math.abs)) / 127;
      values.forEach((value, i) =>
        expect(Math.abs((weight[row * 128 + i] ?? 0) - value)).toBeLessThanOrEqual(step * 0.501),
      );
    }
    // an int8 file becomes numbers again
    const again = await omni(["convert", out, folder.at("again.safetensors"), "--dtype", "f32"]);
    expect(again.code, again.stderr).toBe(0);
    expect(Object.keys(await contents(folder.at("again.safetensors")))).toEqual(
      Object.keys(await contents(folder.at("ours.safetensors"))),
    );
  });

  test("cuts a checkpoint into shards with their index, and reads such a folder", async () => {
    const args = ["convert", folder.at("wan.safetensors"), folder.at("shards"), "--to", "keep"];
    const { code, stdout, stderr } = await omni([...args, "--max-shard-size", "400KB"]);
    expect(code, stderr).toBe(0);
    const files = (await readdir(folder.at("shards"))).filter((name) => name.endsWith(".safetensors"));
    expect(files.length).toBeGreaterThan(3);
    expect(stdout).toContain(`${files.length} files and their index`);
    for (const name of files) expect((await stat(folder.at(`shards/${name}`))).size).toBeLessThan(400_000 + 10_000);
    const index: unknown = JSON.parse(await readFile(folder.at("shards/model.safetensors.index.json"), "utf8"));
    expect(index).toMatchObject({
      weight_map: { "patch_embedding.weight": expect.stringMatching(/^model-\d{5}-of-\d{5}\.safetensors$/) },
    });
    const joined = folder.at("joined.safetensors");
    expect((await omni(["convert", folder.at("shards"), joined, "--to", "keep"])).code).toBe(0);
    expect(await contents(joined)).toEqual(await contents(folder.at("wan.safetensors")));
  });

  test(
    "a checkpoint of several shards costs the memory of pieces, not of the whole",
    { timeout: 120_000 },
    async () => {
      // 8 matrices of 32 MiB in 4 files; an int8 conversion that held them, or one of them whole, would show in the array buffers
      const rows = 4096;
      const columns = 2048;
      const piece = new Uint8Array(new Float32Array(columns * 64).map((_, i) => Math.sin(i)).buffer);
      await mkdir(folder.at("large"));
      const source = {
        dtype: "F32" as const,
        shape: [rows, columns],
        async *bytes() {
          for (let at = 0; at < rows; at += 64) yield piece;
        },
      };
      const map: Record<string, string> = {};
      for (let shard = 0; shard < 4; shard++) {
        const file = `part-${shard}.safetensors`;
        const names = [`a${shard}.weight`, `b${shard}.weight`];
        for (const name of names) map[name] = file;
        await writeFileAtomic(folder.at(`large/${file}`), streamStored(names.map((name) => [name, source] as const)));
      }
      await writeFile(folder.at("large/model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
      globalThis.gc?.();
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }, 5);
      const args = ["convert", folder.at("large"), folder.at("small"), "--to", "keep"];
      const { code, stderr } = await omni([...args, "--dtype", "int8", "--max-shard-size", "16MiB"]);
      clearInterval(watch);
      expect(code, stderr).toBe(0);
      expect(most).toBeGreaterThan(0);
      // 256 MiB in all; garbage of pieces of 4 MiB may lie about until the collector comes
      expect(most).toBeLessThan(128 * 2 ** 20);
      const small = await openCheckpoint(folder.at("small"));
      const [got] = (await small.tensors["a3.weight"]?.range("f32", 5 * columns + 7, 1)) ?? [];
      expect(got).toBeCloseTo(Math.sin(5 * columns + 7), 2);
      await small.close();
    },
  );
});

describe("omni convert refuses", () => {
  const cases: readonly [string, () => Promise<string[]>, string][] = [
    ["names of no layout", async () => ["x.safetensors", "out.safetensors"], "its names are of no known layout"],
    [
      "another layout than was named",
      async () => ["wan.safetensors", "o.safetensors", "--from", "sd3"],
      "must be sd3, got wan2.1-dit",
    ],
    [
      "a layout of another network",
      async () => ["wan.safetensors", "o.safetensors", "--to", "t5"],
      "can become wan2.1-dit or wan2.1-dit-diffusers, not t5",
    ],
    ["a tensor that is missing", async () => ["cut.safetensors", "o.safetensors"], '1 missing ("blocks.0.ffn.0.bias")'],
    [
      "NaN as int8",
      async () => ["nan.safetensors", "o.safetensors", "--to", "keep", "--dtype", "int8"],
      'tensor "w.weight" must hold finite numbers',
    ],
    [
      "values beyond f16",
      async () => ["far.safetensors", "o.safetensors", "--to", "keep", "--dtype", "f16"],
      "must stay within ±65504",
    ],
    [
      "a size of words",
      async () => ["wan.safetensors", "o", "--max-shard-size", "big"],
      "It must be a size such as 5GB",
    ],
    ["an empty folder", async () => ["empty", "o.safetensors"], "a folder must hold a checkpoint"],
  ];
  beforeAll(async () => {
    const write = (name: string, tensors: Parameters<typeof writeSafetensors>[0]) =>
      writeFile(folder.at(name), writeSafetensors(tensors));
    await write("x.safetensors", { x: { shape: [1], data: Float32Array.of(1) } });
    await write("nan.safetensors", {
      "w.weight": { shape: [128, 128], data: new Float32Array(16_384).fill(Number.NaN) },
    });
    await write("far.safetensors", { w: { shape: [1], data: Float32Array.of(1e6) } });
    await mkdir(folder.at("empty"));
    const file = await openCheckpoint(folder.at("wan.safetensors"));
    const cut: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
    for (const [name, tensor] of Object.entries(file.tensors))
      if (name !== "blocks.0.ffn.0.bias") cut[name] = { shape: tensor.shape, data: await tensor.data("f32") };
    await file.close();
    await write("cut.safetensors", cut);
  });

  test.each(cases)("%s", async (_, make, says) => {
    const [source = "", out = "", ...options] = await make();
    const known = await folder.others([]);
    const { code, stderr } = await omni(["convert", folder.at(source), folder.at(out), ...options]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(await folder.others(known)).toEqual([]);
  });
});

describe("omni inspect", () => {
  test("names the network and its config, and gives numbers of a sample", async () => {
    const { code, stdout } = await omni(["inspect", folder.at("wan.safetensors")]);
    expect(code).toBe(0);
    expect(stdout).toContain("network: omni-wan-dit, as Wan2.1's transformer");
    expect(stdout).toContain("  depth: 2");
    expect(stdout).toMatch(/^name +type +shape +size +mean +std +min +max +not finite$/m);
    expect(stdout).toMatch(/^blocks\.0\.self_attn\.q\.bias +F32 +\[128\] +512 B +-?\d/m);
  });

  test("statistics of all values are those of the values", async () => {
    const values = Float32Array.of(1, 2, 3, 6);
    await writeFile(folder.at("four.safetensors"), writeSafetensors({ x: { shape: [4], data: values } }));
    const { stdout } = await omni(["inspect", folder.at("four.safetensors"), "--json"]);
    // mean 3, variance (4 + 1 + 0 + 9) / 4
    expect(JSON.parse(stdout)).toMatchObject({
      tensors: [{ bytes: 16, statistics: { values: 4, mean: 3, std: Math.sqrt(3.5), min: 1, max: 6, notFinite: 0 } }],
      network: null,
      values: 4,
      byType: { F32: 4 },
    });
  });

  test("finds one NaN among all values, and says where to look", async () => {
    const data = new Float32Array(100_000).fill(1);
    data[54_321] = Number.NaN;
    await writeFile(folder.at("sick.safetensors"), writeSafetensors({ x: { shape: [100_000], data } }));
    expect((await omni(["inspect", folder.at("sick.safetensors")])).code).toBe(0);
    const { code, stderr } = await omni(["inspect", folder.at("sick.safetensors"), "--all"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("1 tensors hold NaN or infinity, such as x")]);
  });

  test("shows what does not fit a network that it knows", async () => {
    const { code, stdout } = await omni(["inspect", folder.at("cut.safetensors"), "--no-stats"]);
    expect(code).toBe(0);
    expect(stdout).toContain("network: Wan2.1's transformer: the checkpoint must hold its");
  });

  test("shows int8 as it is stored, and reads folders", async () => {
    const { stdout } = await omni(["inspect", folder.at("int8.safetensors"), "--match", "fc1.weight"]);
    expect(stdout).toMatch(/blocks\.0\.video\.ffn\.fc1\.weight +I8 +\[144, 128\]/);
    expect(stdout).toContain("network: omni-wan-dit");
    expect((await omni(["inspect", folder.at("shards"), "--no-stats"])).stdout).toContain("as Wan2.1's transformer");
  });

  test("a shard that is cut off is an error that says so", async () => {
    const whole = await readFile(folder.at("wan.safetensors"));
    await writeFile(folder.at("short.safetensors"), whole.subarray(0, whole.length - 100));
    const { code, stderr } = await omni(["inspect", folder.at("short.safetensors")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the file is damaged, download or save it again")]);
  });
});
