import { OmniError, ShapeError } from "@omni/core";
import { expectPair, type Picture } from "./picture.ts";

/** How neighbours count in local means: the paper's Gaussian, or all alike in a square. */
export type SsimWindow =
  | { readonly kind: "gaussian"; readonly size: number; readonly sigma: number }
  | { readonly kind: "uniform"; readonly size: number };

/** 11×11 with σ = 1.5, as in the paper. */
export const GAUSSIAN_11: SsimWindow = { kind: "gaussian", size: 11, sigma: 1.5 };
/** 7×7, scikit-image's default. */
export const UNIFORM_7: SsimWindow = { kind: "uniform", size: 7 };

export interface SsimOptions {
  /** R, the distance between the smallest and the largest possible value: 1 or 255. */
  readonly dataRange: number;
  readonly window?: SsimWindow;
  /** Divide covariances by n − 1 in place of n. By default for the uniform window only, as scikit-image does. */
  readonly sampleCovariance?: boolean;
  readonly k1?: number;
  readonly k2?: number;
}

/**
 * Structural similarity, the mean over all places whose window lies inside the picture and over the channels:
 *
 * (2 μa μb + c1)(2 σab + c2) / ((μa² + μb² + c1)(σa² + σb² + c2)),   c1 = (k1 R)², c2 = (k2 R)²
 *
 * @returns in [-1, 1]; 1 for equal pictures
 * @throws ShapeError unless both are [H, W, C] of one shape, no smaller than the window
 * @see Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity", eq. 13
 */
export function ssim(a: Picture, b: Picture, options: SsimOptions): number {
  const { dataRange, window = GAUSSIAN_11, k1 = 0.01, k2 = 0.03 } = options;
  const [height, width, channels] = expectPair("ssim", a, b);
  const { size } = window;
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0)
    throw new OmniError(`ssim: the window must have an odd size, got ${size}`);
  if (height < size || width < size)
    throw new ShapeError(
      `ssim: pictures must be at least ${size}×${size}, got ${height}×${width}; take a smaller window`,
    );
  const weights = weightsOf(window);
  const points = size * size;
  const unbias = (options.sampleCovariance ?? window.kind === "uniform") ? points / (points - 1) : 1;
  const [c1, c2] = [(k1 * dataRange) ** 2, (k2 * dataRange) ** 2];
  let total = 0;
  let places = 0;
  for (let channel = 0; channel < channels; channel++) {
    const mean = (value: (i: number) => number): Float64Array =>
      localMeans((y, x) => value((y * width + x) * channels + channel), height, width, weights);
    const [pa, pb] = [(i: number) => a.data[i] ?? NaN, (i: number) => b.data[i] ?? NaN];
    const [ma, mb] = [mean(pa), mean(pb)];
    const [maa, mbb, mab] = [mean((i) => pa(i) ** 2), mean((i) => pb(i) ** 2), mean((i) => pa(i) * pb(i))];
    for (let i = 0; i < ma.length; i++) {
      const [ua = 0, ub = 0] = [ma[i], mb[i]];
      const va = unbias * ((maa[i] ?? 0) - ua * ua);
      const vb = unbias * ((mbb[i] ?? 0) - ub * ub);
      const vab = unbias * ((mab[i] ?? 0) - ua * ub);
      total += ((2 * ua * ub + c1) * (2 * vab + c2)) / ((ua * ua + ub * ub + c1) * (va + vb + c2));
      places++;
    }
  }
  return total / places;
}

/** The window along one axis; both kinds are products of two. */
function weightsOf(window: SsimWindow): Float64Array {
  const { size } = window;
  const centre = (size - 1) / 2;
  const raw = Float64Array.from({ length: size }, (_, i) =>
    window.kind === "uniform" ? 1 : Math.exp(-((i - centre) ** 2) / (2 * window.sigma ** 2)),
  );
  const sum = raw.reduce((x, y) => x + y, 0);
  return raw.map((w) => w / sum);
}

/** Weighted means around each place whose window lies inside. */
function localMeans(
  value: (y: number, x: number) => number,
  height: number,
  width: number,
  weights: Float64Array,
): Float64Array {
  const inner = width - weights.length + 1;
  const rows = new Float64Array(height * inner);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < inner; x++) rows[y * inner + x] = weights.reduce((sum, w, k) => sum + w * value(y, x + k), 0);
  const high = height - weights.length + 1;
  return Float64Array.from({ length: high * inner }, (_, i) =>
    weights.reduce((sum, w, k) => sum + w * (rows[i + k * inner] ?? NaN), 0),
  );
}
