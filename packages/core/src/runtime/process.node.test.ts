import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const RUNTIME = new URL("./index.ts", import.meta.url).href;
const ERRORS = new URL("../base/errors.ts", import.meta.url).href;
const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

const EVALUATE = {
  node: ["--import", "tsx", "--conditions=@omni/source", "--expose-gc", "--input-type=module", "-e"],
  bun: ["--conditions=@omni/source", "--expose-gc", "-e"],
  deno: ["eval", "--no-lock", "--conditions=@omni/source", "--v8-flags=--expose-gc"],
};
const RUNNING = process.versions["bun"] ? "bun" : process.versions["deno"] ? "deno" : "node";

/** Runs a script over the runtime in a process of its own: what these tests provoke ends or poisons a process. */
function run(script: string, env: Readonly<Record<string, string | undefined>> = {}): Promise<Ended> {
  const source = `
    import process from "node:process";
    import { getDevice, closeDevice, readBuffer, BUFFER_USAGE } from ${JSON.stringify(RUNTIME)};
    import { DeviceError } from ${JSON.stringify(ERRORS)};
    const rss = () => Math.round(process.memoryUsage.rss() / 2 ** 20);
    ${script}`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...EVALUATE[RUNNING], source], {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: "", ...env },
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out: out.trim(), err: err.trim() }));
  });
}

async function succeed(script: string, env?: Readonly<Record<string, string | undefined>>): Promise<string> {
  const ended = await run(script, env);
  expect(ended, ended.err).toMatchObject({ code: 0, signal: null });
  return ended.out;
}

describe("life of the device", () => {
  test("it survives collections, since the object from create() is held", async () => {
    const out = await succeed(`
      const device = await getDevice();
      for (let round = 0; round < 10; round++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
        const buffer = device.gpu.createBuffer({ size: 2 ** 20, usage: BUFFER_USAGE.COPY_DST });
        device.write(buffer, 0, new Uint8Array(1024));
        device.submit([]);
        await device.finished();
      }
      console.log("alive");`);
    expect(out).toBe("alive");
  });

  test("an open idle device does not keep the process", async () => {
    const started = performance.now();
    await succeed(`await getDevice();`);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test("two processes use it at once", async () => {
    const script = `
      const device = await getDevice();
      const buffer = device.pool.acquire(4);
      device.write(buffer, 0, new Uint32Array([42]));
      console.log(new Uint32Array(await readBuffer(device, buffer, 4))[0]);`;
    expect(await Promise.all([succeed(script), succeed(script)])).toEqual(["42", "42"]);
  });

  test("closing it ends pending work with a DeviceError, and another can be opened", async () => {
    const out = await succeed(`
      const device = await getDevice();
      const buffer = device.pool.acquire(16);
      const reading = readBuffer(device, buffer, 16).catch((error) => error);
      const never = device.guard(new Promise(() => {})).catch((error) => error);
      await closeDevice();
      for (const error of [await reading, await never, await device.lost, await readBuffer(device, buffer, 4).catch((e) => e)]) {
        console.log(error instanceof DeviceError, error.kind);
      }
      console.log(device.isLost);
      const next = await getDevice();
      const other = next.pool.acquire(4);
      next.write(other, 0, new Uint32Array([5]));
      console.log(next !== device, new Uint32Array(await readBuffer(next, other, 4))[0]);`);
    expect(out.split("\n")).toEqual(["true lost", "true lost", "true lost", "true lost", "true", "true 5"]);
  });
});

describe("memory", () => {
  test("1,500 uploads of 1 MiB into new buffers leave the process small", async () => {
    const out = await succeed(`
      const device = await getDevice();
      const data = new Uint8Array(2 ** 20);
      const before = rss();
      for (let step = 0; step < 1500; step++) {
        const buffer = device.gpu.createBuffer({ size: data.length, usage: BUFFER_USAGE.COPY_DST });
        device.write(buffer, 0, data);
        buffer.destroy();
      }
      await device.finished();
      console.log(rss() - before);`);
    // Without the flushes it grows by 1,500 MiB, with them by 140.
    expect(Number(out)).toBeLessThan(500);
  });

  test("awaiting the device 20,000 times keeps nothing", async () => {
    const out = await succeed(`
      const device = await getDevice();
      const heap = () => (gc(), process.memoryUsage().heapUsed);
      const settle = async (n) => { for (let i = 0; i < n; i++) await device.guard(Promise.resolve(new Array(100).fill(i))); };
      await settle(1000);
      const before = heap();
      await settle(20000);
      console.log(Math.round((heap() - before) / 1024));`);
    // Promise.race against the loss of the device keeps 22 MB here.
    expect(Number(out)).toBeLessThan(1024);
  });

  test("the budget of a software adapter is finite, and can be set", async () => {
    const out = await succeed(`
      const device = await getDevice({ memoryBudget: 2 ** 24 });
      try { device.pool.acquire(2 ** 25); } catch (error) { console.log(error.kind); }
      await closeDevice();
      const standard = await getDevice();
      console.log(Number.isFinite(standard.pool.budget) === standard.traits.software);`);
    expect(out.split("\n")).toEqual(["out-of-memory", "true"]);
  });
});

describe("choice of the adapter", () => {
  const opened = `console.log((await getDevice()).adapterName)`;
  const bundled = process.platform === "linux" && process.arch === "x64";
  const noDriver = { VK_DRIVER_FILES: undefined, VK_ICD_FILENAMES: undefined };

  test.skipIf(!bundled)("whatever drivers the system has, one opens without a word on stderr", async () => {
    const ended = await run(opened, { ...noDriver, XDG_RUNTIME_DIR: undefined });
    expect(ended).toMatchObject({ code: 0 });
    if (ended.out.includes("bundled")) expect(ended.err).toBe("");
  });

  test.skipIf(!bundled)("a child process finds the driver that its parent unpacked", async () => {
    const out = await succeed(
      `${opened};
       const { execFileSync } = await import("node:child_process");
       const child = ${JSON.stringify([...EVALUATE[RUNNING], `import { getDevice } from "${RUNTIME}"; ${opened}`])};
       console.log(execFileSync(process.execPath, child, { encoding: "utf8" }).trim());`,
      { ...noDriver, OMNI_ADAPTER: "software" },
    );
    const [parent, child] = out.split("\n");
    expect(child).toBe(parent);
  });

  test.skipIf(!bundled)("a driver that the user names is used or refused, never replaced", async () => {
    const ended = await run(opened, {
      VK_DRIVER_FILES: "/nonexistent/icd.json",
      VK_ICD_FILENAMES: "/nonexistent/icd.json",
    });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain("VK_DRIVER_FILES=/nonexistent/icd.json gives no WebGPU adapter");
  });

  test("an unknown OMNI_ADAPTER is refused", async () => {
    const ended = await run(opened, { ...noDriver, OMNI_ADAPTER: "fast" });
    expect(ended.err).toContain('OMNI_ADAPTER must be one of auto, system, software, got "fast"');
  });
});
