import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderStore } from "./folder-store.node.ts";

test("folderStore keeps entries as files and leaves nothing else behind", async () => {
  const root = await mkdtemp(join(tmpdir(), "omni-text-"));
  try {
    const folder = join(root, "deep", "cache");
    const store = folderStore(folder);
    expect(await store.get("ab")).toBeNull();
    await store.put("ab", Uint8Array.of(1, 2, 3));
    await store.put("ab", Uint8Array.of(4, 5));
    expect(await folderStore(folder).get("ab")).toEqual(Uint8Array.of(4, 5));
    expect(await readdir(folder)).toEqual(["ab.safetensors"]);
  } finally {
    await rm(root, { recursive: true });
  }
});
