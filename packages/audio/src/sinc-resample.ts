import { conv1d, ShapeError, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";

/** Options of {@link sincResample}. */
export interface SincOptions {
  /** Zero crossings of the sinc on each side. */
  readonly zeros?: number;
  /** Where the filter cuts, as a share of the lower of the two Nyquist frequencies. */
  readonly rolloff?: number;
  /** Squared cosine, or Kaiser with its β. */
  readonly window?: "hann" | { readonly kaiser: number };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Modified Bessel function of order 0, by its series. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * Number.EPSILON; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Sound at another rate, by a windowed sinc for each of the phases between the two rates: torchaudio's `resample`, for features that must
 * equal those computed with it.
 *
 * @param wave [B, samples] or [samples]
 * @param from,to rates, Hz; whole numbers
 * @returns ⌈samples · to / from⌉ samples
 * @throws ShapeError for more axes; RangeError for rates that are no whole numbers above 0
 * @see Smith, "Digital Audio Resampling Home Page"; torchaudio.functional.resample
 */
export function sincResample(
  wave: Tensor,
  from: number,
  to: number,
  { zeros = 6, rolloff = 0.99, window = "hann" }: SincOptions = {},
): Tensor {
  for (const rate of [from, to])
    if (!Number.isInteger(rate) || rate < 1)
      throw new RangeError(`sincResample: rates must be whole numbers above 0, got ${rate}`);
  if (wave.ndim < 1 || wave.ndim > 2)
    throw new ShapeError(`sincResample: wave must be [samples] or [B, samples], got [${wave.shape.join(", ")}]`);
  if (from === to) return wave;
  const common = gcd(from, to);
  const [step, phases] = [from / common, to / common];
  const cut = Math.min(step, phases) * rolloff;
  const reach = Math.ceil((zeros * step) / cut);
  const taps = 2 * reach + step;
  const kernel = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++)
    for (let tap = 0; tap < taps; tap++) {
      const t = Math.min(Math.max(((tap - reach) / step - phase / phases) * cut, -zeros), zeros);
      const edge = t / zeros;
      const weight =
        window === "hann"
          ? Math.cos((edge * Math.PI) / 2) ** 2
          : bessel0(window.kaiser * Math.sqrt(1 - edge * edge)) / bessel0(window.kaiser);
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      kernel[phase * taps + tap] = (sinc * weight * cut) / step;
    }
  const samples = wave.shape.at(-1) ?? 0;
  const rows = wave.reshape([wave.size / Math.max(1, samples), 1, samples]);
  const padded = rows.pad([
    [0, 0],
    [0, 0],
    [reach, reach + step],
  ]);
  const phased = conv1d(padded, tensor(kernel, { shape: [phases, 1, taps] }), null, { stride: step });
  const [batch = 0, , blocks = 0] = phased.shape;
  const joined = phased.transpose(1, 2).reshape([batch, blocks * phases]);
  const kept = joined.slice(1, 0, Math.ceil((phases * samples) / step));
  return wave.ndim === 1 ? kept.reshape([kept.size]) : kept;
}
