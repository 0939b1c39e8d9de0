import type { Epilogue } from "./epilogue.ts";

/** Sizes along depth (or time), height, width; one-dimensional and two-dimensional convolutions hold ones. */
export type Extent = readonly [depth: number, height: number, width: number];

/**
 * A convolution, channels last.
 *
 * y[n, o, co] = Σ_{k, ci} x[n, o · stride + k · dilation - padding, ci] · w[k, ci, co] (+ bias[co])
 *
 * x is [batch, ...input, inChannels], w [taps · inChannels / groups, outChannels] with taps depth-major and channels inner, y
 * [batch, ...output, outChannels]; all contiguous. What lies outside x is zero; the padding after follows from `output`.
 */
export interface ConvSpec {
  readonly batch: number;
  readonly input: Extent;
  readonly output: Extent;
  readonly kernel: Extent;
  readonly stride: Extent;
  readonly padding: Extent;
  readonly dilation: Extent;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly bias?: boolean;
  /** Applied to y, whose groups have whole fours of channels; its inputs follow the others. */
  readonly epilogue?: Epilogue;
}

export const volume = ([depth, height, width]: Extent): number => depth * height * width;

/** The uniform fields every convolution kernel reads. */
export function convFields(spec: ConvSpec): Record<string, number> {
  const axes = ["d", "h", "w"] as const;
  const triple = (name: string, values: Extent) =>
    Object.fromEntries(axes.map((axis, index) => [`${name}_${axis}`, values[index] ?? 1]));
  return {
    ...triple("in", spec.input),
    ...triple("out", spec.output),
    ...triple("kernel", spec.kernel),
    ...triple("stride", spec.stride),
    // Padding may be negative (a crop): it wraps, and so does the sum it enters.
    ...triple("pad", spec.padding),
    ...triple("dilation", spec.dilation),
    batch: spec.batch,
    cin: spec.inChannels,
    cout: spec.outChannels,
    cin_group: spec.inChannels / spec.groups,
    cout_group: spec.outChannels / spec.groups,
    ...spec.epilogue?.fields,
  };
}
