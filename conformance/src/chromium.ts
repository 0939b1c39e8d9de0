import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright";
import type { CaseFiles, CaseResult } from "./types.ts";

interface Found {
  readonly executablePath: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The repository's own search for a browser. */
async function findBrowser(): Promise<Found> {
  // a script without types
  const scripts = (await import(new URL("../../scripts/chromium.mjs", import.meta.url).href)) as {
    findChromium(): Found | { reason: string };
  };
  const found = scripts.findChromium();
  if ("reason" in found) throw new Error(`conformance: Chromium must start, but ${found.reason}`);
  return found;
}

async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    conditions: ["@omni/source"],
    logLevel: "error",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

/** Serves a page, the program and the set under /set on this machine alone. */
async function serve(files: CaseFiles): Promise<Server> {
  const program = await bundle();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const answer = (status: number, type: string, body: Uint8Array | string): void => {
      response.writeHead(status, { "content-type": type });
      response.end(body);
    };
    if (path === "/") answer(200, "text/html", '<!doctype html><script type="module" src="/page.js"></script>');
    else if (path === "/page.js") answer(200, "text/javascript", program);
    else if (path.startsWith("/set/"))
      files.bytes(path.slice(5)).then(
        (bytes) => answer(200, "application/octet-stream", bytes),
        () => answer(404, "text/plain", "not in the set"),
      );
    else answer(404, "text/plain", "not here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/**
 * Runs a set in headless Chromium, on whatever adapter its WebGPU finds.
 *
 * @returns the adapter's name
 * @throws Error when no Chromium starts
 */
export async function runInChromium(
  files: CaseFiles,
  groups: readonly string[] | undefined,
  report: (group: string, result: CaseResult) => void,
): Promise<string> {
  const { executablePath, args, env } = await findBrowser();
  const server = await serve(files);
  const browser = await chromium.launch({ executablePath, args: [...args], env: { ...env } });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.exposeFunction("reportCase", report);
    // a local server gives an address with a port
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => typeof window.runConformance === "function");
    return await page.evaluate((wanted) => window.runConformance(wanted), groups ?? null);
  } finally {
    await browser.close();
    server.close();
  }
}
