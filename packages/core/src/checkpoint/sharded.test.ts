import { describe, expect, test } from "vitest";
import { type ByteSource, bytesSource } from "./byte-source.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import { readSharded } from "./sharded.ts";

const shard = (values: Record<string, number>, metadata: Record<string, string> = {}) =>
  writeSafetensors(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, { shape: [1], data: Float32Array.of(value) }]),
    ),
    { metadata },
  );

const indexOf = (weightMap: unknown) => new TextEncoder().encode(JSON.stringify({ weight_map: weightMap }));

/** A folder of files that says what was opened and is still open. */
function folder(files: Record<string, Uint8Array>) {
  const opened: string[] = [];
  const open = new Set<string>();
  const openShard = async (name: string): Promise<ByteSource> => {
    opened.push(name);
    const bytes = files[name];
    if (bytes === undefined) throw new Error(`no file ${name}`);
    open.add(name);
    return { ...bytesSource(bytes, name), close: async () => void open.delete(name) };
  };
  return { opened, open, openShard };
}

const files = {
  "1.safetensors": shard({ a: 1, b: 2, unlisted: 0 }, { format: "pt" }),
  "2.safetensors": shard({ c: 3 }),
};
const weightMap = { c: "2.safetensors", a: "1.safetensors", b: "1.safetensors" };

describe("readSharded", () => {
  test("gives the tensors of the map, each file opened once, and closes them", async () => {
    const { opened, open, openShard } = folder(files);
    const checkpoint = await readSharded(indexOf(weightMap), openShard);
    const { tensors, metadata } = checkpoint;
    expect(Object.keys(tensors)).toEqual(["c", "a", "b"]);
    expect(await tensors["b"]?.data()).toEqual(Float32Array.of(2));
    expect(metadata).toEqual({ format: "pt" });
    expect(opened).toEqual(["1.safetensors", "2.safetensors"]);
    await checkpoint.close();
    expect(open.size).toBe(0);
  });

  test.each([
    "../secret.safetensors",
    "/etc/passwd",
    "sub/x.safetensors",
    "..\\x.safetensors",
    "C:x.safetensors",
    ".hidden.safetensors",
    "x.safetensors\n",
    "x\0.safetensors",
    "passwd",
    "",
    "..",
    7,
    null,
  ])("refuses the file name %j before anything is opened", async (name) => {
    const { opened, openShard } = folder(files);
    await expect(readSharded(indexOf({ ...weightMap, z: name }), openShard)).rejects.toThrow(
      /weight_map "z" must be a file name without a path, got /,
    );
    expect(opened).toEqual([]);
  });

  test.each([
    [
      "a tensor that is not in its file",
      indexOf({ ...weightMap, a: "2.safetensors" }),
      'tensor "a" must be in "2.safetensors"',
    ],
    ["a file that is not there", indexOf({ ...weightMap, d: "3.safetensors" }), "no file 3.safetensors"],
    ["a file that is damaged", indexOf({ ...weightMap, d: "bad.safetensors" }), "must have at least 8 bytes"],
    ["no map", new TextEncoder().encode('{"weights":{}}'), "an index must have a weight_map object, got nothing"],
    ["a map that is a list", indexOf(["a"]), "an index must have a weight_map object, got"],
    [
      "a tensor named twice",
      new TextEncoder().encode('{"weight_map":{"a":"1.safetensors","a":"1.safetensors"}}'),
      '"a" twice',
    ],
    ["no JSON", new TextEncoder().encode("<html>"), 'JSON must have a value at character 0, got "<html>"'],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe), "an index must be UTF-8"],
  ])("refuses %s and leaves no file open", async (_, index, message) => {
    const { open, openShard } = folder({ ...files, "bad.safetensors": new Uint8Array(4) });
    await expect(readSharded(index, openShard)).rejects.toThrow(message);
    expect(open.size).toBe(0);
  });
});

describe("openCheckpoint", () => {
  test("says how to open an index whose folder is unknown", async () => {
    const index = bytesSource(indexOf(weightMap), "model.safetensors.index.json");
    await expect(openCheckpoint(index)).rejects.toThrow("open it with readSharded and give its files");
  });
});
