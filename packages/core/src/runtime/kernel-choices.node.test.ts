import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KernelChoices, modeFromEnvironment } from "./kernel-choices.ts";

const choice = (name: string) => ({ name, text: "0badcafe" });

describe("KernelChoices", () => {
  let folder: string;
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "omni-choices-"));
    vi.stubEnv("XDG_CACHE_HOME", folder);
    warn.mockClear();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  const opened = async (adapter = "an adapter"): Promise<KernelChoices> => {
    const kept = new KernelChoices(adapter, "use");
    await kept.load();
    return kept;
  };
  const keep = async (adapter: string, key: string, name: string): Promise<KernelChoices> => {
    const kept = new KernelChoices(adapter, "ask");
    kept.choices.set(key, choice(name));
    await kept.save();
    return kept;
  };

  test("what one process keeps the next finds, and no half-written file stays", async () => {
    await keep("an adapter", "matmul", "8x4x2");
    expect([...(await opened()).choices]).toEqual([["matmul", choice("8x4x2")]]);
    expect(readdirSync(join(folder, "omni"))).toEqual([new KernelChoices("an adapter", "use").fileName]);
    expect(warn).not.toHaveBeenCalled();
  });

  test("another adapter or driver has a file of its own", async () => {
    await keep("an adapter, driver 1", "matmul", "8x4x2");
    await keep("an adapter, driver 2", "matmul", "8x16x1");
    expect((await opened("an adapter, driver 1")).choices.get("matmul")?.name).toBe("8x4x2");
    expect((await opened("an adapter, driver 2")).choices.get("matmul")?.name).toBe("8x16x1");
    expect((await opened("an adapter, driver 3")).choices.size).toBe(0);
  });

  test("keeps what other processes kept meanwhile, and its own of the same kernel", async () => {
    const mine = await opened();
    mine.choices.set("matmul", choice("mine"));
    await keep("an adapter", "conv", "theirs");
    await keep("an adapter", "matmul", "theirs");
    await mine.save();
    const names = Object.fromEntries([...(await opened()).choices].map(([key, { name }]) => [key, name]));
    expect(names).toEqual({ conv: "theirs", matmul: "mine" });
  });

  test.each([
    ["no JSON", "{"],
    ["not an object", "7"],
    ["another adapter's", JSON.stringify({ adapter: "another", choices: {} })],
    ["choices of another form", JSON.stringify({ adapter: "an adapter", choices: { matmul: 3 } })],
  ])("a file that is %s is not read, with one warning, and is replaced", async (_, text) => {
    const { fileName } = new KernelChoices("an adapter", "use");
    mkdirSync(join(folder, "omni"));
    writeFileSync(join(folder, "omni", fileName), text);
    const kept = await opened();
    await kept.load();
    expect(kept.choices.size).toBe(0);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toContain(fileName);
    kept.choices.set("matmul", choice("8x4x2"));
    await kept.save();
    expect((await opened()).choices.size).toBe(1);
  });

  test("where nothing can be written it warns once and goes on", async () => {
    // a file where the folder should be: also root cannot write into it
    writeFileSync(join(folder, "omni"), "");
    const kept = await keep("an adapter", "matmul", "8x4x2");
    await kept.save();
    expect(kept.choices.size).toBe(1);
    expect(warn).toHaveBeenCalledOnce();
    expect((await opened()).choices.size).toBe(0);
  });

  test.skipIf(process.getuid?.() === 0)("a read-only folder is left as it is", async () => {
    chmodSync(folder, 0o500);
    await keep("an adapter", "matmul", "8x4x2");
    expect(warn).toHaveBeenCalledOnce();
    expect(existsSync(join(folder, "omni"))).toBe(false);
    chmodSync(folder, 0o700);
  });

  test("without XDG_CACHE_HOME the file lies in ~/.cache/omni", async () => {
    vi.stubEnv("XDG_CACHE_HOME", undefined);
    vi.stubEnv("HOME", folder);
    const { fileName } = await keep("an adapter", "matmul", "8x4x2");
    expect(JSON.parse(readFileSync(join(folder, ".cache", "omni", fileName), "utf8"))).toEqual({
      adapter: "an adapter",
      choices: { matmul: choice("8x4x2") },
    });
  });
});

describe("OMNI_AUTOTUNE", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  test.each([
    [undefined, "ask"],
    ["", "ask"],
    ["0", "off"],
    ["1", "use"],
    ["tune", "tune"],
  ])("%s means %s", (value, mode) => {
    vi.stubEnv("OMNI_AUTOTUNE", value);
    expect(modeFromEnvironment()).toBe(mode);
  });
  test("anything else is refused", () => {
    vi.stubEnv("OMNI_AUTOTUNE", "yes");
    expect(modeFromEnvironment).toThrow('OMNI_AUTOTUNE must be 0, 1 or tune, got "yes"');
  });
});
