import type { Started } from "./contender.ts";

/** Binaries of TensorFlow.js's wasm backend: it takes the best that the runtime can run. */
export const WASM_FILES = [
  "tfjs-backend-wasm.wasm",
  "tfjs-backend-wasm-simd.wasm",
  "tfjs-backend-wasm-threaded-simd.wasm",
] as const;

/** Peers as this runtime loads them: from a folder in Node, Deno and Bun, from the page's server in a browser. */
export interface PeerModules {
  /** A library bundled for this runtime. */
  readonly load: (name: "tfjs" | "jax") => Promise<unknown>;
  /** onnxruntime-node, which is native code. @throws Error in browsers */
  readonly loadNative: () => Promise<unknown>;
  /** @omni/core of an earlier commit. @throws Error where none was checked out for this run */
  readonly startEarlier: () => Promise<Started>;
  /** Paths or URLs of the wasm backend's binaries by file name. */
  readonly wasm: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<"tfjs" | "jax" | "ort", string>>;
}
