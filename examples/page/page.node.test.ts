import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright";
import { expect, onTestFinished, test } from "vitest";
import { buildPage } from "./build.node.ts";
import { serveFolder } from "./serve.node.ts";

interface Found {
  readonly executablePath: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

// a script without types
const scripts = (await import(new URL("../../scripts/chromium.mjs", import.meta.url).href)) as {
  findChromium(): Found | { reason: string };
};
const found = scripts.findChromium();

// the software adapter of a browser that shares its cores with other tests
const LONG = 600_000;

/** The built page in a browser, after `prepare`, and what it complains of. */
async function openPage(launch: Found, prepare = async (_page: Page): Promise<unknown> => null) {
  const folder = await mkdtemp(join(tmpdir(), "omni-examples-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await buildPage(folder);
  const { url, server } = await serveFolder(folder, 0);
  onTestFinished(() => void server.close());
  const browser = await chromium.launch(launch);
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(0); // the test has its own
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await prepare(page);
  await page.goto(url);
  return { page, complaints };
}

test.skipIf("reason" in found)(
  "the built page fits a curve and enlarges a picture without a complaint",
  { timeout: LONG },
  async () => {
    if ("reason" in found) return;
    const { page, complaints } = await openPage(found);
    await page.click("#fit-curve button");
    await page.waitForSelector("#fit-curve[data-state=done], #fit-curve[data-state=failed]");
    const told = await page.textContent("#fit-curve output");
    // the noise of the points alone is a loss of 0.0064
    expect(Number(/loss ([\d.]+)$/.exec(told ?? "")?.[1])).toBeLessThan(0.01);
    expect(await page.getAttribute("#fit-curve path.fit", "d")).not.toContain("NaN");

    await page.click("nav a[href='#super-resolution']");
    await page.click("#super-resolution button");
    await page.waitForSelector("#super-resolution[data-state=done], #super-resolution[data-state=failed]");
    expect(await page.locator("#super-resolution figcaption").allTextContents()).toContain("network 2×, 31.1 dB");
    expect(complaints).toEqual([]);
  },
);

test.skipIf("reason" in found)("without WebGPU the page says what is missing", async () => {
  if ("reason" in found) return;
  const { page } = await openPage(found, (fresh) =>
    fresh.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { value: undefined })),
  );
  await page.waitForSelector("#adapter.failed");
  expect(await page.textContent("#adapter")).toContain("this browser has no WebGPU");
  expect(await page.isDisabled("#fit-curve button")).toBe(true);
});
