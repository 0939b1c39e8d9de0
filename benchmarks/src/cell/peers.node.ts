import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
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

/** The peers for Node, Deno and Bun. */
export const nodePeers = (): PeerModules => ({
  load: (name) => {
    const path = join(BUNDLES, `${name}.node.mjs`);
    return existsSync(path) ? import(pathToFileURL(path).href) : Promise.reject(new Error(`${name} is not installed`));
  },
  loadNative: () => Promise.resolve(createRequire(join(PEERS, "package.json"))("onnxruntime-node")),
  wasm: Object.fromEntries(WASM_FILES.map((name) => [name, join(WASM_FOLDER, name)])),
  versions: peerVersions(),
});
