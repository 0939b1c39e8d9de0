import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { BUNDLES, PEERS } from "../cell/peers.node.ts";

export type Platform = "node" | "browser";

const NAMES = ["tfjs", "jax"] as const;

// what CommonJS parts of a bundle ask for in a module
const NODE_BANNER = `import { createRequire as makeRequire } from "node:module";
import { fileURLToPath as pathOf } from "node:url";
const require = makeRequire(import.meta.url), __filename = pathOf(import.meta.url), __dirname = pathOf(new URL(".", import.meta.url));`;

const forPlatform: Readonly<Record<Platform, BuildOptions>> = {
  node: { platform: "node", mainFields: ["module", "main"], banner: { js: NODE_BANNER } },
  browser: { platform: "browser", mainFields: ["browser", "module", "main"] },
};

/** Where a peer's bundle lies. */
export const bundlePath = (name: string, platform: Platform): string => join(BUNDLES, `${name}.${platform}.mjs`);

/**
 * Puts each peer into one module: their packages are a mixture that only bundlers load, with TensorFlow.js's gradients apart from the rest.
 * What is there stays: its packages are pinned, and installing them anew takes the bundles away.
 */
export async function bundlePeers(platform: Platform): Promise<void> {
  for (const name of NAMES) {
    const outfile = bundlePath(name, platform);
    if (existsSync(outfile)) continue;
    await build({
      ...forPlatform[platform],
      entryPoints: [join(PEERS, "entries", `${name}.mjs`)],
      outfile,
      bundle: true,
      format: "esm",
      logLevel: "error",
    });
  }
}
