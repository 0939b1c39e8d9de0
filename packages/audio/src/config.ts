import { ConfigError } from "./config-error.ts";

/** Shape of a wav2vec 2.0 encoder. */
export interface AudioConfig {
  /** Channels, kernels and strides of the convolutional feature extractor. The strides multiply to 320: 16 kHz → 50 Hz. */
  readonly convDim: readonly number[];
  readonly convKernel: readonly number[];
  readonly convStride: readonly number[];
  readonly convBias: boolean;
  /** `group`: GroupNorm over time after the first convolution only (base); `layer`: LayerNorm over channels after each (large). */
  readonly extractorNorm: "group" | "layer";
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffnDim: number;
  /** Kernel and groups of the convolutional position embedding. */
  readonly positionKernel: number;
  readonly positionGroups: number;
  /** Norm before each sublayer (large) instead of after it (base). */
  readonly preNorm: boolean;
  readonly layerNormEps: number;
  /** Steps of 20 ms that a position attends to on each side; null attends to all. A finite reach makes long audio exact in chunks. */
  readonly attentionReach: number | null;
  /** Added to the waveform's variance before normalising: the level below which sound counts as silence. */
  readonly varianceFloor: number;
}

/** Sampling rate that all encoders expect, Hz. */
export const SAMPLE_RATE = 16_000;

const extractor = { convKernel: [10, 3, 3, 3, 3, 2, 2], convStride: [5, 2, 2, 2, 2, 2, 2] } as const;

/** `nano` is the shipped model; `base` and `large` are the public wav2vec2-base and -large shapes. */
export const presets = {
  nano: {
    ...extractor,
    convDim: [64, 64, 64, 64, 64, 64, 64],
    convBias: true,
    extractorNorm: "layer",
    hiddenSize: 128,
    layers: 3,
    heads: 4,
    ffnDim: 512,
    positionKernel: 31,
    positionGroups: 4,
    preNorm: true,
    layerNormEps: 1e-5,
    attentionReach: 25,
    // -50 dBFS: the hiss of a quiet room must not be blown up to the level of speech
    varianceFloor: 1e-5,
  },
  base: {
    ...extractor,
    convDim: [512, 512, 512, 512, 512, 512, 512],
    convBias: false,
    extractorNorm: "group",
    hiddenSize: 768,
    layers: 12,
    heads: 12,
    ffnDim: 3072,
    positionKernel: 128,
    positionGroups: 16,
    preNorm: false,
    layerNormEps: 1e-5,
    attentionReach: null,
    varianceFloor: 1e-7,
  },
  large: {
    ...extractor,
    convDim: [512, 512, 512, 512, 512, 512, 512],
    convBias: true,
    extractorNorm: "layer",
    hiddenSize: 1024,
    layers: 24,
    heads: 16,
    ffnDim: 4096,
    positionKernel: 128,
    positionGroups: 16,
    preNorm: true,
    layerNormEps: 1e-5,
    attentionReach: null,
    varianceFloor: 1e-7,
  },
} as const satisfies Record<string, AudioConfig>;

/** Name of a built-in configuration. */
export type AudioPreset = keyof typeof presets;

const count = { test: (v: unknown) => Number.isInteger(v) && Number(v) > 0, rule: "a whole number above 0" };
const counts = {
  test: (v: unknown) => Array.isArray(v) && v.length > 0 && v.every(count.test),
  rule: "a list of whole numbers above 0",
};
const flag = { test: (v: unknown) => typeof v === "boolean", rule: "true or false" };
const positive = {
  test: (v: unknown) => typeof v === "number" && v > 0 && Number.isFinite(v),
  rule: "a number above 0",
};

const schema: {
  readonly [K in keyof AudioConfig]: { readonly test: (value: unknown) => boolean; readonly rule: string };
} = {
  convDim: counts,
  convKernel: counts,
  convStride: counts,
  convBias: flag,
  extractorNorm: { test: (v) => v === "group" || v === "layer", rule: '"group" or "layer"' },
  hiddenSize: count,
  layers: count,
  heads: count,
  ffnDim: count,
  positionKernel: count,
  positionGroups: count,
  preNorm: flag,
  layerNormEps: positive,
  attentionReach: { test: (v) => v === null || count.test(v), rule: "null or a whole number above 0" },
  varianceFloor: positive,
};

/**
 * Checks a configuration that comes from outside, such as a checkpoint's metadata.
 *
 * @throws ConfigError naming the field that is missing, unknown, of the wrong type or at odds with another
 */
export function parseAudioConfig(value: unknown): AudioConfig {
  if (typeof value !== "object" || value === null) throw new ConfigError("AudioConfig: must be an object");
  const given = new Map<string, unknown>(Object.entries(value));
  for (const name of given.keys())
    if (!Object.hasOwn(schema, name)) throw new ConfigError(`AudioConfig.${name}: unknown field`);
  for (const [name, { test, rule }] of Object.entries(schema))
    if (!test(given.get(name)))
      throw new ConfigError(`AudioConfig.${name}: must be ${rule}, got ${String(given.get(name))}`);
  const config = value as AudioConfig; // every field has just been checked against the schema
  checkAudioConfig(config);
  return config;
}

/** Rules between fields. @throws ConfigError */
export function checkAudioConfig({
  convDim,
  convKernel,
  convStride,
  hiddenSize,
  heads,
  positionGroups,
}: AudioConfig): void {
  if (convKernel.length !== convDim.length || convStride.length !== convDim.length)
    throw new ConfigError("AudioConfig: convDim, convKernel and convStride must have the same length");
  if (hiddenSize % heads !== 0)
    throw new ConfigError(`AudioConfig.hiddenSize: must be a multiple of heads ${heads}, got ${hiddenSize}`);
  if (hiddenSize % positionGroups !== 0)
    throw new ConfigError(
      `AudioConfig.hiddenSize: must be a multiple of positionGroups ${positionGroups}, got ${hiddenSize}`,
    );
}
