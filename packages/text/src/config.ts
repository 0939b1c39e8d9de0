import { ConfigError } from "./config-error.ts";

/** Shape of a T5 or UMT5 encoder. */
export interface TextConfig {
  readonly vocabSize: number;
  /** Width of the states. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of a head; heads · headDim need not be the width. */
  readonly headDim: number;
  readonly ffnDim: number;
  /** `gated-gelu`: gelu(W_0 x) ⊙ W_1 x (T5 1.1, UMT5); `relu`: the first T5. */
  readonly feedForward: "gated-gelu" | "relu";
  /** T5 shares one table of relative positions among all layers, UMT5 has one a layer. */
  readonly relativePositions: "shared" | "per-layer";
  readonly buckets: number;
  readonly maxDistance: number;
  readonly normEps: number;
  /** Longest text in tokens, end token included. */
  readonly maxTokens: number;
}

/** `nano` is the shipped model, for the tokenizer of nano-vocabulary.ts; `umt5-xxl` is the public one that Wan uses. */
export const presets = {
  nano: {
    vocabSize: 1536,
    width: 96,
    layers: 2,
    heads: 4,
    headDim: 24,
    ffnDim: 256,
    feedForward: "gated-gelu",
    relativePositions: "per-layer",
    buckets: 16,
    maxDistance: 32,
    normEps: 1e-6,
    maxTokens: 32,
  },
  "umt5-xxl": {
    vocabSize: 256_384,
    width: 4096,
    layers: 24,
    heads: 64,
    headDim: 64,
    ffnDim: 10_240,
    feedForward: "gated-gelu",
    relativePositions: "per-layer",
    buckets: 32,
    maxDistance: 128,
    normEps: 1e-6,
    maxTokens: 512,
  },
} as const satisfies Record<string, TextConfig>;

/** Name of a built-in configuration. */
export type TextPreset = keyof typeof presets;

interface Rule {
  readonly test: (value: unknown) => boolean;
  readonly rule: string;
}
const count: Rule = { test: (v) => Number.isInteger(v) && Number(v) > 0, rule: "a whole number above 0" };
const oneOf = (...values: readonly string[]): Rule => ({
  test: (v) => typeof v === "string" && values.includes(v),
  rule: values.map((v) => `"${v}"`).join(" or "),
});

const schema: { readonly [K in keyof TextConfig]: Rule } = {
  vocabSize: count,
  width: count,
  layers: count,
  heads: count,
  headDim: count,
  ffnDim: count,
  feedForward: oneOf("gated-gelu", "relu"),
  relativePositions: oneOf("shared", "per-layer"),
  buckets: count,
  maxDistance: count,
  normEps: { test: (v) => typeof v === "number" && v > 0 && Number.isFinite(v), rule: "a number above 0" },
  maxTokens: count,
};

/**
 * Checks a configuration that comes from outside, such as a checkpoint's metadata.
 *
 * @throws ConfigError naming the field that is missing, unknown or of the wrong type
 */
export function parseTextConfig(value: unknown): TextConfig {
  if (typeof value !== "object" || value === null) throw new ConfigError("TextConfig: must be an object");
  const given = new Map<string, unknown>(Object.entries(value));
  for (const name of given.keys())
    if (!Object.hasOwn(schema, name)) throw new ConfigError(`TextConfig.${name}: unknown field`);
  for (const [name, { test, rule }] of Object.entries(schema))
    if (!test(given.get(name)))
      throw new ConfigError(`TextConfig.${name}: must be ${rule}, got ${String(given.get(name))}`);
  return value as TextConfig; // every field has just been checked against the schema
}
