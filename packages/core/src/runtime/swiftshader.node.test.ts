import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cacheRoots, isBundledDriver, unpackSwiftShader } from "./swiftshader.node.ts";

const bundled = process.platform === "linux" && process.arch === "x64";

describe.skipIf(!bundled)("unpackSwiftShader", () => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "omni-unpack-"));
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  test("leaves the driver, its manifest and the loader, and nothing half-written", async () => {
    const folder = await unpackSwiftShader([scratch]);
    expect(readdirSync(folder).sort()).toEqual(["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"]);
    expect(readdirSync(dirname(folder))).toHaveLength(1);
    expect(isBundledDriver(join(folder, "vk_swiftshader_icd.json"))).toBe(true);
    expect(await unpackSwiftShader([scratch])).toBe(folder);
  });

  test("takes the next folder where one cannot be written", async () => {
    const file = join(scratch, "a-file");
    writeFileSync(file, "");
    const folder = await unpackSwiftShader([file, join(scratch, "second")]);
    expect(folder.startsWith(join(scratch, "second"))).toBe(true);
    await expect(unpackSwiftShader([file])).rejects.toThrow(/no folder to unpack the software driver/);
  });

  test("repairs a folder that a cleaner took files from", async () => {
    const folder = await unpackSwiftShader([scratch]);
    rmSync(join(folder, "libvulkan.so.1"));
    expect(await unpackSwiftShader([scratch])).toBe(folder);
    expect(readdirSync(folder)).toContain("libvulkan.so.1");
  });

  test("agrees with others who unpack at the same time", async () => {
    const folders = await Promise.all(Array.from({ length: 4 }, () => unpackSwiftShader([scratch])));
    expect(new Set(folders).size).toBe(1);
  });
});

test("a driver named by the user is not taken for the bundled one", () => {
  expect(isBundledDriver(undefined)).toBe(false);
  expect(isBundledDriver("/usr/share/vulkan/icd.d/nvidia_icd.json")).toBe(false);
});

test("there is a place to unpack to without a home", () => {
  const { HOME: home, XDG_CACHE_HOME: cache } = process.env;
  delete process.env["HOME"];
  delete process.env["XDG_CACHE_HOME"];
  try {
    expect(cacheRoots().some((root) => root.startsWith(tmpdir()))).toBe(true);
  } finally {
    if (home !== undefined) process.env["HOME"] = home;
    if (cache !== undefined) process.env["XDG_CACHE_HOME"] = cache;
  }
});
