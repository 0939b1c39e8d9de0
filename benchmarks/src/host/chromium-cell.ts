import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright";
import type { CellEvent } from "../cell/events.ts";
import { peerVersions, WASM_FOLDER } from "../cell/peers.node.ts";
import { WASM_FILES } from "../contenders/peer-modules.ts";
import type { AdapterChoice, AdapterEnvironment } from "./adapters.ts";
import { bundlePath } from "./peer-bundles.ts";
import type { CellRunner } from "./process-cell.ts";
import { script } from "./repository.ts";

interface Browser {
  readonly executablePath: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The repository's own search for a browser. @throws Error when none starts */
async function findBrowser(): Promise<Browser> {
  const { findChromium } = await script<{ findChromium: () => Browser | { readonly reason: string } }>(
    "scripts/chromium.mjs",
  );
  const found = findChromium();
  if ("reason" in found) throw new Error(`bench: Chromium must start, but ${found.reason}`);
  return found;
}

/** The browser with the system's Vulkan in place of its own SwiftShader. */
function onSystemVulkan({ executablePath, args, env }: Browser, adapter: AdapterEnvironment): Browser {
  const kept = args.filter((arg) => !arg.endsWith("=swiftshader") && arg !== "--use-gl=angle");
  const variables = Object.entries({ ...env, ...adapter }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { executablePath, args: [...kept, "--use-vulkan=native"], env: Object.fromEntries(variables) };
}

async function bundlePage(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../cell/page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    conditions: ["@omni/source"],
    logLevel: "error",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

/** Serves the page, the program and the peers on this machine alone. */
async function serve(): Promise<Server> {
  const program = await bundlePage();
  const files: Record<string, () => readonly [type: string, body: Uint8Array | string]> = {
    "/": () => ["text/html", '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>'],
    "/page.js": () => ["text/javascript", program],
  };
  for (const name of ["tfjs", "jax"] as const)
    files[`/peers/${name}.mjs`] = () => ["text/javascript", readFileSync(bundlePath(name, "browser"))];
  for (const name of WASM_FILES)
    files[`/wasm/${name}`] = () => ["application/wasm", readFileSync(join(WASM_FOLDER, name))];
  const server = createServer((request, response) => {
    const file = files[new URL(request.url ?? "/", "http://localhost").pathname];
    const [type, body] = file?.() ?? ["text/plain", "not here"];
    // isolation gives the page a clock of microseconds
    response.writeHead(file ? 200 : 404, {
      "content-type": type,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/**
 * Cells in headless Chromium, each in a browser of its own.
 *
 * @throws Error when no Chromium starts
 */
export async function chromiumRunner(choice: AdapterChoice, adapter: AdapterEnvironment): Promise<CellRunner> {
  const found = await findBrowser();
  const own = choice === "auto" || choice === "swiftshader";
  const { executablePath, args, env } = own ? found : onSystemVulkan(found, adapter);
  return async (request, onEvent, signal) => {
    const server = await serve();
    const browser = await chromium.launch({ executablePath, args: [...args], env: { ...env }, handleSIGINT: false });
    const stop = (): void => void browser.close().catch(() => undefined);
    signal.addEventListener("abort", stop);
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(0);
      await page.exposeFunction("tellBench", (event: CellEvent) => onEvent(event));
      // a local server gives an address with a port
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction(() => typeof window.runBench === "function");
      await page.evaluate(([job, versions]) => window.runBench(job, versions), [request, peerVersions()] as const);
      return null;
    } catch (error) {
      return `the page ended: ${(error instanceof Error ? error.message : String(error)).split("\n")[0]}`;
    } finally {
      signal.removeEventListener("abort", stop);
      await browser.close().catch(() => undefined);
      server.close();
    }
  };
}
