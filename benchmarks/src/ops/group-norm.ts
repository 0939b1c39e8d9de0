import { at, expectAt, type Floats, type Kind } from "./kind.ts";
import { uniform } from "./random.ts";
import { NORM_EPS } from "./rows.ts";

/** [batch, channels, height, width], normalised over each group of channels and all its pixels. */
export interface GroupNormSpec {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly groups: number;
}

export interface GroupNormInputs {
  readonly x: Floats;
  /** [channels] */
  readonly weight: Floats;
  /** [channels] */
  readonly bias: Floats;
}

interface Statistics {
  readonly mean: number;
  readonly deviation: number;
}

function statistics(x: Floats, start: number, length: number): Statistics {
  let mean = 0;
  for (let i = 0; i < length; i++) mean += at(x, start + i) / length;
  let variance = 0;
  for (let i = 0; i < length; i++) variance += (at(x, start + i) - mean) ** 2 / length;
  return { mean, deviation: Math.sqrt(variance + NORM_EPS) };
}

const elements = ({ batch, channels, height, width }: GroupNormSpec): number => batch * channels * height * width;

export const groupNorm: Kind<GroupNormSpec, GroupNormInputs> = {
  inputs: (spec) => ({
    x: uniform(elements(spec), 1),
    weight: uniform(spec.channels, 2),
    bias: uniform(spec.channels, 3),
  }),
  expected: (spec, { x, weight, bias }) => {
    const pixels = spec.height * spec.width;
    const length = (spec.channels / spec.groups) * pixels;
    const known = Array.from({ length: elements(spec) / length }, (_, group) => statistics(x, group * length, length));
    return expectAt(elements(spec), (position) => {
      const { mean, deviation } = known[Math.floor(position / length)] ?? { mean: NaN, deviation: NaN };
      const channel = Math.floor(position / pixels) % spec.channels;
      return ((at(x, position) - mean) / deviation) * at(weight, channel) + at(bias, channel);
    });
  },
  flops: () => null,
  bytes: (spec) => 2 * 4 * elements(spec),
};
