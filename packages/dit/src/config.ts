import { ConfigError } from "./config-error.ts";

/** A kind of latent cells: its share of all, and how its latents follow the reference's by channel, x_0 ~ N(slope · reference, variance). */
export interface ReferenceKind {
  readonly weight: number;
  readonly slopes: readonly number[];
  readonly variances: readonly number[];
}
export type ReferencePrior = readonly ReferenceKind[];

/** Shape of an MMDiT. Every preset runs through the same code. */
export interface DitConfig {
  /** Channels of the VAE latents. */
  readonly latentChannels: number;
  /** Channels of the pose guider's features, stacked on the latents' channels. */
  readonly poseChannels: number;
  /** Also stack a channel that is 1 on clean frames (reference, motion) and 0 on noised ones. */
  readonly maskChannel: boolean;
  /** Width of the text encoder's states. */
  readonly textDim: number;
  /** Width of one audio feature token. */
  readonly audioDim: number;
  /** Audio feature tokens a video frame. */
  readonly audioTokensPerFrame: number;
  /** Video frames of audio context on each side of those that a latent frame stands for. */
  readonly audioWindow: number;
  /** Model width D; a multiple of headDim. */
  readonly width: number;
  readonly depth: number;
  /** The first so many blocks have own weights for text and video; the deeper ones share them (Seaweed's hybrid stream). */
  readonly doubleBlocks: number;
  readonly headDim: number;
  /** Rotated pairs of the head dimension for t, y and x; they sum to headDim / 2. */
  readonly ropeAxes: readonly [t: number, y: number, x: number];
  readonly ropeTheta: number;
  /** Text tokens stand at no position, or (MM-RoPE) at their index in all three axes. */
  readonly textRope: "none" | "mm";
  /** Hidden width of the SwiGLU FFN. */
  readonly ffnDim: number;
  /** Width of the sinusoidal timestep embedding. */
  readonly timeDim: number;
  /** Start of the residual gates: 1 trains small models fast, 0 (adaLN-zero) keeps deep ones stable. */
  readonly gateInit: number;
  /**
   * Kinds of latent cells for `referencePrior`; empty leaves the velocity to the network alone, as the paper does. Training measures them.
   */
  readonly referencePrior: ReferencePrior;
}

/** Patch of the video tokens in latent frames, rows and columns. */
export const PATCH = { t: 1, y: 2, x: 2 } as const;

/** Video frames a latent frame stands for (the first latent frame of a clip stands for one). */
export const TEMPORAL_STRIDE = 4;

/** Width of the SwiGLU hidden layer: 8/3 of the model's, rounded up to a multiple of 64. */
const swigluDim = (width: number): number => Math.ceil((width * 8) / 3 / 64) * 64;

const large = {
  latentChannels: 16,
  poseChannels: 32,
  maskChannel: true,
  textDim: 4096,
  audioDim: 13 * 768,
  audioTokensPerFrame: 2,
  audioWindow: 2,
  ropeTheta: 10_000,
  textRope: "mm",
  timeDim: 256,
  gateInit: 0,
  referencePrior: [],
} as const;

/** `nano` is the shipped model; `small` ≈ 0.1 B, `base` ≈ 1.4 B, `seaweed-8b` the paper's size class. */
export const presets = {
  nano: {
    latentChannels: 32,
    poseChannels: 16,
    maskChannel: false,
    textDim: 96,
    audioDim: 512,
    audioTokensPerFrame: 2,
    audioWindow: 2,
    width: 192,
    depth: 6,
    doubleBlocks: 2,
    headDim: 32,
    ropeAxes: [4, 6, 6],
    // positions stay below 16: a base of 10,000 would leave half of the pairs nearly still
    ropeTheta: 100,
    textRope: "none",
    ffnDim: swigluDim(192),
    timeDim: 128,
    gateInit: 1,
    referencePrior: [
      { weight: 0.5, slopes: new Array<number>(32).fill(1), variances: new Array<number>(32).fill(0.05) },
      { weight: 0.5, slopes: new Array<number>(32).fill(0), variances: new Array<number>(32).fill(1) },
    ],
  },
  small: {
    ...large,
    width: 640,
    depth: 12,
    doubleBlocks: 4,
    headDim: 64,
    ropeAxes: [8, 12, 12],
    ffnDim: swigluDim(640),
  },
  base: {
    ...large,
    width: 1536,
    depth: 30,
    doubleBlocks: 10,
    headDim: 128,
    ropeAxes: [22, 21, 21],
    ffnDim: swigluDim(1536),
  },
  "seaweed-8b": {
    ...large,
    width: 3328,
    depth: 36,
    doubleBlocks: 12,
    headDim: 128,
    ropeAxes: [22, 21, 21],
    ffnDim: swigluDim(3328),
  },
} as const satisfies Record<string, DitConfig>;

/** Name of a built-in configuration. */
export type DitPreset = keyof typeof presets;

type Kind = "count" | "number" | "boolean" | "axes" | "kinds" | "textRope";
const schema: { readonly [K in keyof DitConfig]: Kind } = {
  latentChannels: "count",
  poseChannels: "count",
  maskChannel: "boolean",
  textDim: "count",
  audioDim: "count",
  audioTokensPerFrame: "count",
  audioWindow: "count",
  width: "count",
  depth: "count",
  doubleBlocks: "count",
  headDim: "count",
  ropeAxes: "axes",
  ropeTheta: "number",
  textRope: "textRope",
  ffnDim: "count",
  timeDim: "count",
  gateInit: "number",
  referencePrior: "kinds",
};

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
const isPositive = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value > 0;
const isKind = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  "weight" in value &&
  isPositive(value.weight) &&
  "slopes" in value &&
  Array.isArray(value.slopes) &&
  value.slopes.every((slope) => typeof slope === "number" && Number.isFinite(slope)) &&
  "variances" in value &&
  Array.isArray(value.variances) &&
  value.variances.every(isPositive);
const accepts: { readonly [K in Kind]: { readonly test: (value: unknown) => boolean; readonly rule: string } } = {
  count: { test: isCount, rule: "a whole number of at least 0" },
  number: { test: (value) => typeof value === "number" && Number.isFinite(value), rule: "a finite number" },
  boolean: { test: (value) => typeof value === "boolean", rule: "true or false" },
  axes: {
    test: (value) => Array.isArray(value) && value.length === 3 && value.every(isCount),
    rule: "three whole numbers",
  },
  kinds: {
    test: (value) => Array.isArray(value) && value.every(isKind),
    rule: "a list of { weight, slopes, variances }, weights and variances above 0",
  },
  textRope: { test: (value) => value === "none" || value === "mm", rule: '"none" or "mm"' },
};

/**
 * Checks a configuration that comes from outside (a checkpoint's metadata, a file).
 *
 * @throws ConfigError naming the field that is missing, unknown, of the wrong type or at odds with another
 */
export function parseDitConfig(value: unknown): DitConfig {
  if (typeof value !== "object" || value === null) throw new ConfigError("DitConfig: must be an object");
  const given = new Map<string, unknown>(Object.entries(value));
  for (const name of given.keys())
    if (!Object.hasOwn(schema, name)) throw new ConfigError(`DitConfig.${name}: unknown field`);
  for (const [name, kind] of Object.entries(schema)) {
    const { test, rule } = accepts[kind];
    if (!test(given.get(name)))
      throw new ConfigError(`DitConfig.${name}: must be ${rule}, got ${String(given.get(name))}`);
  }
  const config = value as DitConfig; // every field has just been checked against the schema
  checkDitConfig(config);
  return config;
}

/** Rules between fields. @throws ConfigError */
export function checkDitConfig(config: DitConfig): void {
  const { width, headDim, ropeAxes, depth, doubleBlocks, referencePrior, latentChannels } = config;
  const uneven = referencePrior.find(
    ({ slopes, variances }) => slopes.length !== latentChannels || variances.length !== latentChannels,
  );
  if (uneven)
    throw new ConfigError(
      `DitConfig.referencePrior: must have ${latentChannels} slopes and variances a kind, one a latent channel, got ${uneven.slopes.length} and ${uneven.variances.length}`,
    );
  if (headDim === 0 || width % headDim !== 0)
    throw new ConfigError(`DitConfig.width: must be a multiple of headDim ${headDim}, got ${width}`);
  const pairs = ropeAxes[0] + ropeAxes[1] + ropeAxes[2];
  if (pairs * 2 !== headDim)
    throw new ConfigError(`DitConfig.ropeAxes: must sum to headDim / 2 = ${headDim / 2}, got ${pairs}`);
  if (depth < 1) throw new ConfigError("DitConfig.depth: must be at least 1, got 0");
  if (doubleBlocks > depth)
    throw new ConfigError(`DitConfig.doubleBlocks: must be at most depth ${depth}, got ${doubleBlocks}`);
}
