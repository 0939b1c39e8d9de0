import type { ReferenceKind, ReferencePrior } from "@omni/dit";
import { encodeClips, type ClipEncoder } from "./encoded-clips.ts";
import type { ClipSize, ClipSource } from "./sample.ts";

/** Clips that the kinds are measured on, and clips encoded at a time. */
const CLIPS = 48;
const BATCH = 8;

/** Kinds of cells: still, moving a little, changing. */
const KINDS = 3;
const ROUNDS = 30;

/** A channel whose latents equal the reference's would leave the denoiser nothing to say. */
const LEAST_VARIANCE = 0.003;
const LEAST_WEIGHT = 1e-4;

/** How latent cells of video follow those of their reference picture: what `DitConfig.referencePrior` holds. */
export async function measureReferenceKinds(
  encoder: ClipEncoder,
  source: ClipSource,
  size: ClipSize,
  frames: number,
): Promise<ReferencePrior> {
  const channels = encoder.vae.config.zDim;
  const pairs: CellPair[] = [];
  for (let from = 0; from < CLIPS; from += BATCH) {
    const drawn = Array.from({ length: BATCH }, (_, i) => source(from + i, { ...size, frames }));
    for (const { latents, reference } of await encodeClips(encoder, drawn)) {
      const plane = reference.length / channels;
      const cells = latents.length / channels;
      for (let cell = 0; cell < cells; cell++)
        pairs.push({
          video: Float32Array.from({ length: channels }, (_, c) => latents[c * cells + cell] ?? 0),
          reference: Float32Array.from({ length: channels }, (_, c) => reference[c * plane + (cell % plane)] ?? 0),
        });
    }
  }
  return fitKinds(pairs, KINDS);
}

/** A latent cell of a video and the one at its place in the reference, by channel. */
export interface CellPair {
  readonly video: Float32Array;
  readonly reference: Float32Array;
}

/**
 * Mixture of linear regressions of video cells on reference cells, by expectation maximisation.
 *
 * @returns kinds, the stillest first
 * @see Dempster, Laird & Rubin 1977
 */
export function fitKinds(pairs: readonly CellPair[], count: number): ReferencePrior {
  const channels = pairs[0]?.video.length ?? 0;
  const distance = ({ video, reference }: CellPair): number =>
    video.reduce((sum, v, c) => sum + (v - (reference[c] ?? 0)) ** 2, 0);
  const order = pairs.map((pair, i) => [distance(pair), i] as const).toSorted((a, b) => a[0] - b[0]);
  const shares = pairs.map(() => new Float64Array(count));
  order.forEach(([, i], rank) => {
    const share = shares[i];
    if (share) share[Math.min(count - 1, Math.floor((rank * count) / pairs.length))] = 1;
  });
  let kinds: ReferenceKind[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    kinds = Array.from({ length: count }, (_, k) =>
      regress(
        pairs,
        shares.map((s) => s[k] ?? 0),
        channels,
      ),
    );
    pairs.forEach(({ video, reference }, i) => {
      const evidence = kinds.map(({ weight, slopes, variances }) =>
        variances.reduce((sum, variance, c) => {
          const residual = (video[c] ?? 0) - (slopes[c] ?? 0) * (reference[c] ?? 0);
          return sum - 0.5 * (residual ** 2 / variance + Math.log(variance));
        }, Math.log(weight)),
      );
      const top = Math.max(...evidence);
      const likely = evidence.map((e) => Math.exp(e - top));
      const total = likely.reduce((sum, l) => sum + l, 0);
      shares[i] = Float64Array.from(likely, (l) => l / total);
    });
  }
  return kinds;
}

function regress(pairs: readonly CellPair[], shares: readonly number[], channels: number): ReferenceKind {
  const total = Math.max(
    1e-9,
    shares.reduce((sum, s) => sum + s, 0),
  );
  const moment = (a: keyof CellPair, b: keyof CellPair): Float64Array => {
    const sums = new Float64Array(channels);
    pairs.forEach((pair, i) => {
      const share = (shares[i] ?? 0) / total;
      for (let c = 0; c < channels; c++) sums[c] = (sums[c] ?? 0) + share * (pair[a][c] ?? 0) * (pair[b][c] ?? 0);
    });
    return sums;
  };
  const [vv, vr, rr] = [moment("video", "video"), moment("video", "reference"), moment("reference", "reference")];
  const slopes = Array.from(vr, (value, c) => value / Math.max(1e-9, rr[c] ?? 0));
  const variances = slopes.map((slope, c) =>
    Math.max(LEAST_VARIANCE, (vv[c] ?? 0) - 2 * slope * (vr[c] ?? 0) + slope ** 2 * (rr[c] ?? 0)),
  );
  return { weight: Math.max(LEAST_WEIGHT, total / pairs.length), slopes, variances };
}
