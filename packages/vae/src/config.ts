import { CheckpointError } from "@omni/core";

/**
 * Shape of a causal video autoencoder. Levels run from the finest grid to the coarsest; between two levels the grid may
 * halve in space, in time, or both.
 */
export interface VaeConfig {
  /** Edge of the pixel blocks folded into channels before the first convolution; 1 folds nothing. */
  readonly spaceToDepth: number;
  /** Encoder width of each level. */
  readonly encoderDims: readonly number[];
  /** Decoder width of each level, finest first too. */
  readonly decoderDims: readonly number[];
  /** Residual blocks of an encoder level. */
  readonly encoderBlocks: number;
  /** Residual blocks of a decoder level. */
  readonly decoderBlocks: number;
  /** Whether the grid halves in space between level i and i + 1. */
  readonly spatialDownsample: readonly boolean[];
  /** Whether it halves in time there. */
  readonly temporalDownsample: readonly boolean[];
  /** Frames that the residual convolutions of each level see: 1 (this one alone) or 3 (this one and two before). */
  readonly temporalKernel: readonly (1 | 3)[];
  /** Kernel of the convolutions from and to pixels: 3 is 3×3×3, 1 is 1×1×1. */
  readonly pixelKernel: 1 | 3;
  /** Levels, counted from 0 = finest, with self-attention within each frame after every residual block. */
  readonly attentionLevels: readonly number[];
  /** What stands between the coarsest level and the latents: nothing, or residual, attention, residual. */
  readonly middle: "none" | "attention";
  /** Spatial upsampling: nearest neighbour and a 3×3 convolution to half the width, or a 1×1 one and a pixel shuffle. */
  readonly upsample: "nearest" | "shuffle";
  /** Whether a linear code of each latent cell's own pixels runs beside the convolutions. */
  readonly patchShortcut: boolean;
  /** Whether 1×1×1 convolutions stand on both sides of the latents. */
  readonly quantConv: boolean;
  /** Latent channels C. */
  readonly zDim: number;
  /** ε of the channel RMS-norms. */
  readonly normEps: number;
  /** Mean of each latent channel over training data, [C]. */
  readonly latentMean: readonly number[];
  /** Standard deviation of each latent channel over training data, [C]. */
  readonly latentStd: readonly number[];
}

/** Wan2.1's published statistics of its 16 latent channels. */
const wanLatentMean = [
  -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922,
  -0.9497, 0.2503, -0.2921,
];
const wanLatentStd = [
  2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253,
  2.8251, 1.916,
];

export const vaePresets = {
  /**
   * The embedded default: 1.3 M parameters, 2.1 GFLOP to encode and decode 25 frames of 64×64 pixels. Pixels fold 4×4
   * before the first convolution, so nothing runs at full size; 3D convolutions run on the coarsest grid only. Twice Wan's latent channels: a
   * linear code of 16 has no room for a mouth that moves within the four frames of a latent cell.
   */
  nano: {
    spaceToDepth: 4,
    encoderDims: [32, 64, 64],
    decoderDims: [48, 64, 96],
    encoderBlocks: 1,
    decoderBlocks: 1,
    spatialDownsample: [true, false],
    temporalDownsample: [true, true],
    temporalKernel: [1, 1, 3],
    pixelKernel: 1,
    attentionLevels: [],
    middle: "none",
    upsample: "shuffle",
    patchShortcut: true,
    quantConv: false,
    zDim: 32,
    normEps: 1e-6,
    latentMean: new Array<number>(32).fill(0),
    latentStd: new Array<number>(32).fill(1),
  },
  /** Wan2.1's layout, 127 M parameters. */
  wan21: {
    spaceToDepth: 1,
    encoderDims: [96, 192, 384, 384],
    decoderDims: [96, 192, 384, 384],
    encoderBlocks: 2,
    decoderBlocks: 3,
    spatialDownsample: [true, true, true],
    temporalDownsample: [false, true, true],
    temporalKernel: [3, 3, 3, 3],
    pixelKernel: 3,
    attentionLevels: [],
    middle: "attention",
    upsample: "nearest",
    patchShortcut: false,
    quantConv: true,
    zDim: 16,
    // upstream divides by max(‖x‖, 1e-12)
    normEps: 1e-24,
    latentMean: wanLatentMean,
    latentStd: wanLatentStd,
  },
} as const satisfies Record<string, VaeConfig>;

/** How much smaller latents are than video: F = 1 + temporal·n frames ↔ T = 1 + n, H = spatial·h, W = spatial·w. */
export function compression(config: VaeConfig): { readonly temporal: number; readonly spatial: number } {
  const halvings = (flags: readonly boolean[]): number => flags.filter(Boolean).length;
  return {
    temporal: 2 ** halvings(config.temporalDownsample),
    spatial: config.spaceToDepth * 2 ** halvings(config.spatialDownsample),
  };
}

/**
 * Reads a config that came as JSON, as in a checkpoint's metadata.
 *
 * @throws CheckpointError naming the field that is missing, unknown or wrong
 */
export function parseVaeConfig(json: unknown): VaeConfig {
  if (typeof json !== "object" || json === null) throw new CheckpointError("vae config: must be an object");
  const source: Record<string, unknown> = { ...json };
  const stray = Object.keys(source).find((name) => !(name in schema));
  if (stray !== undefined) throw new CheckpointError(`vae config: unknown field "${stray}"`);
  const fields = Object.entries(schema).map(([name, field]) => [name, field(source[name], name)]);
  // the schema has one entry of the right type for each field of VaeConfig, which fromEntries cannot say
  const config = Object.fromEntries(fields) as VaeConfig;
  const levels = config.encoderDims.length;
  expectLength("decoderDims", config.decoderDims, levels);
  expectLength("temporalKernel", config.temporalKernel, levels);
  expectLength("spatialDownsample", config.spatialDownsample, levels - 1);
  expectLength("temporalDownsample", config.temporalDownsample, levels - 1);
  expectLength("latentMean", config.latentMean, config.zDim);
  expectLength("latentStd", config.latentStd, config.zDim);
  return config;
}

type Field<T> = (value: unknown, name: string) => T;

const number: Field<number> = (value, name) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw refuse(name, "a number", value);
  return value;
};
const count: Field<number> = (value, name) => {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw refuse(name, "a whole number", value);
  return value;
};
const flag: Field<boolean> = (value, name) => {
  if (typeof value !== "boolean") throw refuse(name, "true or false", value);
  return value;
};
const oneOf =
  <const T extends string | number>(...choices: readonly T[]): Field<T> =>
  (value, name) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw refuse(name, `one of ${choices.join(", ")}`, value);
    return found;
  };
const list =
  <T>(item: Field<T>): Field<readonly T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw refuse(name, "a list", value);
    return value.map((entry: unknown, i) => item(entry, `${name}[${i}]`));
  };

const schema: { readonly [K in keyof VaeConfig]: Field<VaeConfig[K]> } = {
  spaceToDepth: count,
  encoderDims: list(count),
  decoderDims: list(count),
  encoderBlocks: count,
  decoderBlocks: count,
  spatialDownsample: list(flag),
  temporalDownsample: list(flag),
  temporalKernel: list(oneOf(1, 3)),
  pixelKernel: oneOf(1, 3),
  attentionLevels: list(count),
  middle: oneOf("none", "attention"),
  upsample: oneOf("nearest", "shuffle"),
  patchShortcut: flag,
  quantConv: flag,
  zDim: count,
  normEps: number,
  latentMean: list(number),
  latentStd: list(number),
};

function refuse(name: string, wanted: string, got: unknown): CheckpointError {
  return new CheckpointError(`vae config: ${name} must be ${wanted}, got ${JSON.stringify(got)}`);
}

function expectLength(name: string, values: readonly unknown[], length: number): void {
  if (values.length !== length) {
    throw new CheckpointError(`vae config: ${name} must have ${length} entries, got ${values.length}`);
  }
}
