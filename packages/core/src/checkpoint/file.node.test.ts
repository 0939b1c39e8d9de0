import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { openFile, writeFileAtomic } from "./file.node.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import { loadState, writeCheckpoint } from "./state.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoint-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const shard = (name: string, value: number) =>
  writeSafetensors({ [name]: { shape: [1], data: Float32Array.of(value) } });
const bytes = (...values: number[]) => Uint8Array.from(values);

describe("openFile", () => {
  test("reads ranges until it is closed", async () => {
    const path = join(folder, "x.bin");
    await writeFile(path, bytes(0, 1, 2, 3, 4, 5));
    const source = await openFile(pathToFileURL(path));
    expect(source.size).toBe(6);
    expect(await source.read(2, 3)).toEqual(bytes(2, 3, 4));
    await expect(source.read(4, 3)).rejects.toThrow("reads must stay within its 6 bytes, got 3 bytes at 4");
    await source.close();
    await expect(source.read(0, 1)).rejects.toBeInstanceOf(CheckpointError);
  });

  test("refuses what is no file", async () => {
    await expect(openFile(join(folder, "none"))).rejects.toThrow(
      "must be a readable file, got no such file or folder; check the path",
    );
    await expect(openFile(folder)).rejects.toThrow("must be a regular file, got a folder or device");
  });

  test("notices a file that shrinks", async () => {
    const path = join(folder, "x.bin");
    await writeFile(path, bytes(0, 1, 2, 3));
    const source = await openFile(path);
    await truncate(path, 2);
    await expect(source.read(0, 4)).rejects.toThrow("must keep its 4 bytes while it is read, got its end at 2");
    await source.close();
  });
});

describe("openCheckpoint", () => {
  test("opens a file, and an index with the files beside it", async () => {
    await writeFile(join(folder, "a.safetensors"), shard("a", 1));
    await writeFile(join(folder, "b.safetensors"), shard("b", 2));
    const index = join(folder, "model.safetensors.index.json");
    await writeFile(index, '{"weight_map":{"a":"a.safetensors","b":"b.safetensors"}}');
    const single = await openCheckpoint(join(folder, "a.safetensors"));
    expect(await single.tensors["a"]?.data()).toEqual(Float32Array.of(1));
    await single.close();
    const sharded = await openCheckpoint(pathToFileURL(index));
    expect(await sharded.tensors["b"]?.data()).toEqual(Float32Array.of(2));
    await sharded.close();
    await expect(sharded.tensors["b"]?.data()).rejects.toBeInstanceOf(CheckpointError);
  });

  test("names the file of an index that is not there", async () => {
    const index = join(folder, "model.safetensors.index.json");
    await writeFile(index, '{"weight_map":{"a":"gone.safetensors"}}');
    await expect(openCheckpoint(index)).rejects.toThrow(/gone\.safetensors: must be a readable file, got no such file/);
  });

  test("opens an address with the platform's own fetch", async () => {
    const file = shard("a", 5);
    const ranges: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      ranges.push(request.headers.range);
      response.writeHead(206, { "Content-Range": `bytes 0-${file.length - 1}/${file.length}` }).end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const { tensors } = await openCheckpoint(`http://127.0.0.1:${port}/model.safetensors`);
      expect(await tensors["a"]?.data()).toEqual(Float32Array.of(5));
      expect(ranges).toEqual(["bytes=0-1048575"]);
    } finally {
      server.close();
    }
  });
});

describe("writeFileAtomic", () => {
  async function* failing() {
    yield bytes(1, 2, 3);
    throw new Error("out of data");
  }

  test("writes all pieces in order and leaves nothing beside the file", async () => {
    const path = join(folder, "x.bin");
    await writeFileAtomic(path, [bytes(1, 2), bytes(), bytes(3)]);
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
    expect(await readdir(folder)).toEqual(["x.bin"]);
  });

  test("keeps the old file whole when the pieces fail, and leaves nothing beside it", async () => {
    const path = join(folder, "x.bin");
    await writeFile(path, "old");
    await expect(writeFileAtomic(path, failing())).rejects.toThrow("out of data");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["x.bin"]);
    await expect(writeFileAtomic(join(folder, "new.bin"), failing())).rejects.toThrow("out of data");
    expect(await readdir(folder)).toEqual(["x.bin"]);
  });

  test("shows readers the old file until the new one is whole", async () => {
    const path = join(folder, "x.bin");
    await writeFile(path, "old");
    await writeFileAtomic(
      path,
      (async function* () {
        yield bytes(110, 101);
        expect(await readFile(path, "utf8")).toBe("old");
        yield bytes(119);
      })(),
    );
    expect(await readFile(path, "utf8")).toBe("new");
  });

  test("writes through a link", async () => {
    await mkdir(join(folder, "real"));
    await writeFile(join(folder, "real", "x.bin"), "old");
    await symlink(join("real", "x.bin"), join(folder, "link.bin"));
    await writeFileAtomic(join(folder, "link.bin"), [bytes(7)]);
    expect([...(await readFile(join(folder, "real", "x.bin")))]).toEqual([7]);
  });

  test("removes what a killed process left, and nothing else", async () => {
    const old = new Date(Date.now() - 3_600_000);
    const names = [".x.bin.1-abc.partial", ".x.bin.2-def.partial", ".y.bin.1-abc.partial", "x.bin.partial"];
    for (const name of names) await writeFile(join(folder, name), "");
    for (const name of names.filter((name) => !name.includes("2-def"))) await utimes(join(folder, name), old, old);
    await writeFileAtomic(join(folder, "x.bin"), [bytes(1)]);
    expect((await readdir(folder)).sort()).toEqual([...names.slice(1), "x.bin"].sort());
  });

  test("refuses a folder, a folder that is not there, and a device", async () => {
    await expect(writeFileAtomic(folder, [])).rejects.toThrow(
      "must be a regular file, got a folder or device; choose a folder",
    );
    await expect(writeFileAtomic(join(folder, "none", "x"), [])).rejects.toThrow(
      "must be writable, got no such file or folder",
    );
    if (process.platform !== "win32")
      await expect(writeFileAtomic("/dev/null", [])).rejects.toThrow("must be a regular file, got a folder or device");
  });

  test.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
    "refuses a folder without permission",
    async () => {
      await chmod(folder, 0o500);
      await expect(writeFileAtomic(join(folder, "x"), [])).rejects.toThrow("must be writable, got no permission");
      await chmod(folder, 0o700);
    },
  );
});

describe("writeCheckpoint", () => {
  const module = (value: Float32Array) => ({
    namedParameters: () => [["w", { dtype: "f32", shape: [2], data: async () => value }]] as const,
    loadStateDict: (state: Record<string, { readonly data: unknown }>) => void Object.assign(loaded, state),
  });
  const loaded: Record<string, { readonly data: unknown }> = {};

  test("writes a file that loadState reads", async () => {
    const path = join(folder, "model.safetensors");
    await writeCheckpoint(path, module(Float32Array.of(1, 2)), { dtype: "f16", metadata: { step: "3" } });
    expect((await stat(path)).size % 8).toBe(4);
    const { metadata } = await loadState(module(new Float32Array(2)), path);
    expect(metadata).toEqual({ step: "3" });
    expect(loaded["w"]?.data).toEqual(Float32Array.of(1, 2));
  });

  test("leaves the old file when a value cannot be stored", async () => {
    const path = join(folder, "model.safetensors");
    await writeFile(path, "old");
    await expect(writeCheckpoint(path, module(Float32Array.of(1, 1e6)), { dtype: "f16" })).rejects.toThrow("±65504");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });
});
