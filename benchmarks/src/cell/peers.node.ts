import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Started } from "../contenders/contender.ts";
import { type PeerModules, WASM_FILES } from "../contenders/peer-modules.ts";

/** Where the peers are installed. */
export const PEERS = fileURLToPath(new URL("../../peers/", import.meta.url));

/** Where each peer lies as one module; installing anew takes them away. */
export const BUNDLES = join(PEERS, "node_modules", ".bundles");

/** Where the wasm backend's binaries lie. */
export const WASM_FOLDER = join(PEERS, "node_modules", "@tensorflow", "tfjs-backend-wasm", "dist");

interface PackageFile {
  readonly version: string;
}

/** Version of an installed peer; "" where it is not installed. */
function peerVersion(name: string): string {
  try {
    const file = readFileSync(join(PEERS, "node_modules", name, "package.json"), "utf8");
    return (JSON.parse(file) as PackageFile).version; // every package has one
  } catch {
    return "";
  }
}

export const peerVersions = (): PeerModules["versions"] => ({
  tfjs: peerVersion("@tensorflow/tfjs-core"),
  jax: peerVersion("@jax-js/jax"),
  ort: peerVersion("onnxruntime-node"),
});

/** Of this module's checkout; the same place in another one starts that one's. */
const OURS = "benchmarks/src/contenders/ours/index.ts";

async function startEarlier(root: string | null): Promise<Started> {
  if (root === null) throw new Error("no earlier commit is checked out");
  // another checkout's copy of the same sources
  const { startAlone } = (await import(pathToFileURL(join(root, OURS)).href)) as {
    readonly startAlone: () => Promise<Started>;
  };
  return startAlone();
}

/**
 * The peers for Node, Deno and Bun.
 *
 * @param earlier where an earlier commit is checked out
 */
export const nodePeers = (earlier: string | null): PeerModules => ({
  load: (name) => {
    const path = join(BUNDLES, `${name}.node.mjs`);
    return existsSync(path) ? import(pathToFileURL(path).href) : Promise.reject(new Error(`${name} is not installed`));
  },
  loadNative: () => Promise.resolve(createRequire(join(PEERS, "package.json"))("onnxruntime-node")),
  startEarlier: () => startEarlier(earlier),
  wasm: Object.fromEntries(WASM_FILES.map((name) => [name, join(WASM_FOLDER, name)])),
  versions: peerVersions(),
});
