/** Bundles the packages that run in browsers, from source: fails where a module of Node's would come along. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ISOMORPHIC = [
  "core",
  "text",
  "audio",
  "pose",
  "vae",
  "dit",
  "sampler",
  "metrics",
  "human",
  "media",
  "puppet",
  "trainer",
];

for (const name of ISOMORPHIC) {
  const folder = join(root, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entryPoints = Object.values(exports).map((entry) => join(folder, entry["@omni/source"]));
  // esbuild refuses any import of a Node module here.
  await build({
    entryPoints,
    absWorkingDir: root,
    outdir: "unused",
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    conditions: ["@omni/source"],
    // the speech engine looks for Node's modules at run time and does without them in a page
    external: ["module"],
    logLevel: "error",
  });
}
