import { hannWindow, padWith, ShapeError, stft } from "@omni/core";
import type { Complex, Tensor } from "@omni/core";

/** How a spectrum is cut from a sound. */
export interface SpectrumOptions {
  /** Samples that a transform runs over; it gives size / 2 + 1 frequencies, rounded down. */
  readonly size: number;
  /** Samples between two frames. */
  readonly hop: number;
  /** Samples under the Hann window, which lies in the middle of `size`. Default `size`. */
  readonly window?: number;
  /** What frames at the ends, which are centred on their samples, see beyond them; "none" starts with the first whole frame. */
  readonly ends?: "reflect" | "zeros" | "none";
}

/**
 * Short-time Fourier transform with a periodic Hann window.
 *
 * @param wave [..., samples]
 * @returns [..., ⌊size / 2⌋ + 1, frames]
 * @throws ShapeError where the window is longer than the transform, or no frame is whole
 * @see torch.stft, librosa.stft
 */
export function spectrum(wave: Tensor, { size, hop, window = size, ends = "reflect" }: SpectrumOptions): Complex {
  if (window > size) throw new ShapeError(`spectrum: window must be at most size ${size}, got ${window}`);
  const before = Math.floor((size - window) / 2);
  const weights = hannWindow(window).pad([[before, size - window - before]]);
  const half = ends === "none" ? 0 : Math.floor(size / 2);
  const pads = wave.shape.map((_, axis): [number, number] => (axis === wave.ndim - 1 ? [half, half] : [0, 0]));
  const padded = half === 0 ? wave : padWith(wave, pads, { mode: ends === "reflect" ? "reflect" : "constant" });
  return stft(padded, size, { hop, window: weights, center: false });
}

/** |X|, shaped as its parts. */
export const magnitude = ({ re, im }: Complex): Tensor => re.square().add(im.square()).sqrt();

/** First differences that lift high frequencies: y_n = x_n - k x_{n-1}, y_0 = x_0. [..., samples] → the same shape. */
export function preEmphasized(wave: Tensor, k: number): Tensor {
  const pads = wave.shape.map((_, axis): [number, number] => (axis === wave.ndim - 1 ? [1, 0] : [0, 0]));
  return wave.sub(
    wave
      .pad(pads)
      .slice(-1, 0, wave.shape.at(-1) ?? 0)
      .mul(k),
  );
}
