import type { Phoneme } from "./synthesizer.ts";

/** What the mouth does for a sound; all in 0–1. `closure` is how firmly the lips must meet. */
interface Viseme {
  readonly open: number;
  readonly width: number;
  readonly round: number;
  readonly teeth: number;
  readonly tongue: number;
  readonly closure: number;
}

const viseme = (open: number, width: number, round: number, teeth: number, tongue: number, closure = 0): Viseme => ({
  open,
  width,
  round,
  teeth,
  tongue,
  closure,
});

const closed = viseme(0, 0.5, 0, 0, 0);

/** Mouth shapes by IPA letter. Vowels open by height, round by lip rounding; consonants by place. */
const shapes: readonly (readonly [letters: string, shape: Viseme])[] = [
  ["pbmɓ", viseme(0, 0.45, 0.05, 0, 0, 1)],
  ["fvɱ", viseme(0.1, 0.6, 0, 1, 0, 0.35)],
  ["ɸβ", viseme(0.06, 0.4, 0.3, 0, 0, 0.5)],
  ["θð", viseme(0.2, 0.6, 0, 0.6, 1)],
  ["tdnlɾɬɫ", viseme(0.22, 0.62, 0, 0.6, 0.7)],
  ["szɕʑ", viseme(0.16, 0.72, 0, 1, 0)],
  ["ʃʒʂʐ", viseme(0.24, 0.2, 0.55, 0.8, 0)],
  ["ɹrɻɐ̯", viseme(0.26, 0.35, 0.4, 0.3, 0.4)],
  ["kɡgŋxɣqɢχʁħhɦʔ", viseme(0.3, 0.55, 0, 0.2, 0.1)],
  ["wʍɥ", viseme(0.12, 0, 1, 0, 0)],
  ["jʎɲç", viseme(0.24, 0.85, 0, 0.6, 0.3)],
  ["iɪ", viseme(0.34, 1, 0, 0.7, 0.2)],
  ["yʏ", viseme(0.26, 0.1, 0.9, 0.1, 0)],
  ["eɛ", viseme(0.56, 0.85, 0, 0.5, 0.4)],
  ["øœ", viseme(0.45, 0.25, 0.75, 0.2, 0.2)],
  ["æaɐ", viseme(0.92, 0.75, 0, 0.6, 0.6)],
  ["ɑɒ", viseme(1, 0.55, 0.1, 0.4, 0.4)],
  ["ʌəɜɝɚɘɞ", viseme(0.52, 0.55, 0.1, 0.3, 0.4)],
  ["ɔ", viseme(0.74, 0.25, 0.65, 0.1, 0.2)],
  ["oɤ", viseme(0.58, 0.15, 0.85, 0, 0.1)],
  ["uʊɯɨʉ", viseme(0.28, 0.05, 1, 0, 0)],
];

const vowels = "iɪyʏeɛøœæaɐɑɒʌəɜɝɚɘɞɔoɤuʊɯɨʉ";

/** The mouth shapes that a phoneme passes through (two for diphthongs and affricates). */
function shapesOf(ipa: string): Viseme[] {
  const found: Viseme[] = [];
  for (const letter of ipa) {
    const row = shapes.find(([letters]) => letters.includes(letter));
    if (row !== undefined) found.push(row[1]);
  }
  return found;
}

export function isVowel(ipa: string): boolean {
  return Array.from(ipa).some((letter) => vowels.includes(letter));
}

/** Number of viseme classes; class 0 is silence. */
export const visemeClasses = shapes.length + 1;

/** The viseme class of a phoneme, by its first sounding letter; 0 for a pause. */
export function visemeClass(ipa: string): number {
  for (const letter of ipa) {
    const row = shapes.findIndex(([letters]) => letters.includes(letter));
    if (row >= 0) return row + 1;
  }
  return 0;
}

/** Mouth curves of an utterance, `curveRate` values a second, from `curveLead` seconds before its start. */
export interface MouthCurves {
  readonly open: Float32Array;
  readonly width: Float32Array;
  readonly round: Float32Array;
  readonly teeth: Float32Array;
  readonly tongue: Float32Array;
}

export const curveRate = 200;
/** The mouth prepares for a sound and relaxes after it within this time, in seconds. */
export const curveLead = 0.12;

// Lips move slower than the sound changes: the width of the coarticulation kernel, and of lip closures, in seconds.
const coarticulation = 0.034;
const closing = 0.016;

/**
 * Coarticulated mouth curves of an utterance.
 *
 * Each phoneme holds its target while it sounds; the targets are smoothed by a Gaussian (σ = 34 ms, cut at 3σ), then closures (p, b, m)
 * multiply the opening by one minus their own, faster curve, so that lips really meet. Farther than `curveLead` from
 * speech, the opening is exactly zero.
 *
 * @param duration length of the utterance in seconds
 */
export function mouthCurves(phonemes: readonly Phoneme[], duration: number): MouthCurves {
  const length = Math.ceil((duration + 2 * curveLead) * curveRate) + 1;
  const target = (): Float32Array => new Float32Array(length);
  const curves = {
    open: target(),
    width: target().fill(closed.width),
    round: target(),
    teeth: target(),
    tongue: target(),
  };
  const lips = target();
  for (const { ipa, start, end, stress } of phonemes) {
    const parts = shapesOf(ipa);
    // Short unstressed vowels are reduced, stressed ones full.
    const emphasis = isVowel(ipa) ? 0.86 + 0.2 * stress : 1;
    parts.forEach((shape, i) => {
      const from = Math.round((start + ((end - start) * i) / parts.length + curveLead) * curveRate);
      const to = Math.round((start + ((end - start) * (i + 1)) / parts.length + curveLead) * curveRate);
      curves.open.fill(Math.min(1, shape.open * emphasis), from, to);
      curves.width.fill(shape.width, from, to);
      curves.round.fill(shape.round, from, to);
      curves.teeth.fill(shape.teeth, from, to);
      curves.tongue.fill(shape.tongue, from, to);
      // The lips part at the burst; the rest of a stop is breath on the way to the next vowel.
      lips.fill(shape.closure, from, ipa === "m" ? to : from + Math.ceil((to - from) * 0.6));
    });
  }
  const closures = smoothed(lips, closing);
  const open = smoothed(curves.open, coarticulation);
  for (let i = 0; i < length; i++) open[i] = Math.max(0, ((open[i] ?? 0) * (1 - (closures[i] ?? 0)) - 0.03) / 0.97);
  return {
    open,
    width: smoothed(curves.width, coarticulation),
    round: smoothed(curves.round, coarticulation),
    teeth: smoothed(curves.teeth, coarticulation),
    tongue: smoothed(curves.tongue, coarticulation),
  };
}

function smoothed(values: Float32Array, sigma: number): Float32Array {
  const reach = Math.floor(3 * sigma * curveRate);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - reach) / (sigma * curveRate)) ** 2),
  );
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = -reach; k <= reach; k++)
      sum += (kernel[k + reach] ?? 0) * (values[Math.min(values.length - 1, Math.max(0, i + k))] ?? 0);
    out[i] = sum / total;
  }
  return out;
}
