import { indexSelect, rfft, tensor, where } from "@omni/core";
import type { Tensor } from "@omni/core";
import { roundedMelFilters } from "./mel-filters.ts";
import type { MelFilterOptions } from "./mel-filters.ts";
import { preEmphasized } from "./spectrum.ts";

/** Options of {@link mfcc}. */
export interface MfccOptions extends MelFilterOptions {
  /** Seconds that a frame lasts, and from one to the next. */
  readonly frameSeconds: number;
  readonly stepSeconds: number;
  /** Coefficients kept. */
  readonly coefficients: number;
  readonly preEmphasis: number;
  /** L of the sine that lifts high coefficients: 1 + L/2 sin(π n / L); 0 lifts none. */
  readonly lifter: number;
  /** The first coefficient is the logarithm of the frame's power instead. */
  readonly energy: boolean;
}

/** What the original SyncNet listens to: 13 coefficients at 100 Hz from 16 kHz sound. */
export const SYNCNET_MFCC = {
  sampleRate: 16_000,
  frameSeconds: 0.025,
  stepSeconds: 0.01,
  coefficients: 13,
  mels: 26,
  size: 512,
  low: 0,
  high: 8000,
  preEmphasis: 0.97,
  lifter: 22,
  energy: true,
} as const satisfies MfccOptions;

// what numpy calls eps: the power of a silent band, so that its logarithm is a number
const SILENCE = 2 ** -52;

/** Power by band and by coefficient. */
export interface Cepstrum {
  /** [frames, coefficients] */
  readonly mfcc: Tensor;
  /** [frames, mels] */
  readonly bands: Tensor;
}

/** Overlapping frames of a sound, the last filled up with zeros: [samples] → [frames, size], cut or filled to `size`. */
function framed(wave: Tensor, { frame, step, size }: Readonly<Record<"frame" | "step" | "size", number>>): Tensor {
  const samples = wave.shape[0] ?? 0;
  const frames = samples <= frame ? 1 : 1 + Math.ceil((samples - frame) / step);
  const kept = Math.min(frame, size);
  const filled = wave.pad([[0, Math.max(0, (frames - 1) * step + frame - samples)]]);
  const ids = Int32Array.from({ length: frames * kept }, (_, i) => Math.floor(i / kept) * step + (i % kept));
  const cut = indexSelect(filled, 0, tensor(ids)).reshape([frames, kept]);
  return cut.pad([
    [0, 0],
    [0, size - kept],
  ]);
}

/** The first rows of the orthonormal cosine transform, [columns, rows], each lifted. */
function liftedCosines(columns: number, rows: number, lifter: number): Tensor {
  const values = new Float32Array(columns * rows);
  for (let n = 0; n < rows; n++) {
    const lift = lifter > 0 ? 1 + (lifter / 2) * Math.sin((Math.PI * n) / lifter) : 1;
    const norm = Math.sqrt((n === 0 ? 1 : 2) / columns);
    for (let k = 0; k < columns; k++)
      values[k * rows + n] = lift * norm * Math.cos((Math.PI * n * (2 * k + 1)) / (2 * columns));
  }
  return tensor(values, { shape: [columns, rows] });
}

const audible = (power: Tensor): Tensor => where(power.eq(0), SILENCE, power);

/**
 * Mel-frequency cepstral coefficients: the cosine transform of the logarithm of power in mel bands.
 *
 * @param pcm [samples]; SyncNet was trained on 16-bit numbers, -32768 to 32767
 * @see Davis & Mermelstein 1980; python_speech_features.mfcc
 */
export function mfcc(pcm: Tensor, options: MfccOptions = SYNCNET_MFCC): Cepstrum {
  const { sampleRate, frameSeconds, stepSeconds, size, mels, coefficients, lifter } = options;
  const cut = { frame: Math.floor(frameSeconds * sampleRate + 0.5), step: Math.floor(stepSeconds * sampleRate + 0.5) };
  const { re, im } = rfft(framed(preEmphasized(pcm, options.preEmphasis), { ...cut, size }));
  const power = re
    .square()
    .add(im.square())
    .mul(1 / size);
  const bands = audible(power.matmul(roundedMelFilters(options).transpose()));
  const cepstrum = bands.log().matmul(liftedCosines(mels, coefficients, lifter));
  if (!options.energy) return { mfcc: cepstrum, bands };
  const energy = audible(power.sum({ axis: 1, keepdim: true })).log();
  const isFirst = tensor(Float32Array.from({ length: coefficients }, (_, n) => (n === 0 ? 1 : 0)));
  return { mfcc: where(isFirst.gt(0.5), energy, cepstrum), bands };
}
