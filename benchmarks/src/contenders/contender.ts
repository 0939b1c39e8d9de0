import type { Expected } from "../ops/kind.ts";
import type { InputsOf, KindName, SpecOf } from "../ops/kinds.ts";

/** One contender's way of doing one op on inputs that lie where it wants them. */
export interface Work {
  /** Untimed: what must hold just before a run. */
  readonly before?: () => Promise<void>;
  /** Begins a run; everything is submitted when it resolves. */
  readonly start: () => Promise<void> | void;
  /** Resolves when the device has done it. */
  readonly finish: () => Promise<void>;
  /** The result of the first run, in the layout of the op's float64 formula. May run again where the answer takes two steps. */
  readonly answer: () => Promise<ArrayLike<number>>;
  /** What the answer is checked against in place of the op's float64 formula. */
  readonly reference?: { readonly how: string; readonly expected: () => Promise<Expected> };
}

/** How answers are checked unless a work brings a reference. */
export const FLOAT64 = "float64";

/** What a contender can do. A kind that is missing is missing in the library. */
export type Builders = {
  readonly [K in KindName]?: (spec: SpecOf<K>, inputs: InputsOf<K>) => Promise<Work>;
};

/** A contender that has started. */
export interface Started {
  readonly version: string;
  readonly builders: Builders;
  /** What it computes with, where that can be watched. */
  readonly gpu?: GPUDevice;
}

export const CONTENDERS = ["ours", "forward", "before", "raw", "tfjs", "jax", "ort", "tfjs-wasm", "ort-cpu"] as const;
export type ContenderId = (typeof CONTENDERS)[number];

/** Libraries that run on the same adapter: targets are ratios to these. */
export const GPU_PEERS = ["tfjs", "jax", "ort"] as const satisfies readonly ContenderId[];

export const contenderTitles: Readonly<Record<ContenderId, string>> = {
  ours: "ours",
  forward: "ours, forward only",
  before: "ours before",
  raw: "raw WGSL",
  tfjs: "tfjs-webgpu",
  jax: "jax-js",
  ort: "ORT WebGPU",
  "tfjs-wasm": "tfjs-wasm",
  "ort-cpu": "ORT CPU",
};
