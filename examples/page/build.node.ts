import { cp, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const examples = fileURLToPath(new URL("../", import.meta.url));

/** What the page loads beside its program. */
const FILES = {
  "page/index.html": "index.html",
  "page/page.css": "page.css",
  "char-transformer/alice.txt": "alice.txt",
  "super-resolution/cat.png": "cat.png",
  "super-resolution/esrgan-slim-2x": "esrgan-slim-2x",
};

/** Writes the page as static files; esbuild refuses any module of Node's in it. */
export async function buildPage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [`${examples}page/main.ts`],
    outfile: `${folder}/page.js`,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    conditions: ["@omni/source"],
    logLevel: "error",
  });
  for (const [from, to] of Object.entries(FILES)) await cp(examples + from, `${folder}/${to}`, { recursive: true });
}
