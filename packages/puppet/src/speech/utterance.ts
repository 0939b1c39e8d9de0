import type { Identity, Split } from "../identity.ts";
import { hash, Random } from "../random.ts";
import { sampleRate } from "./resample.ts";
import { drawSentence } from "./sentences.ts";
import type { Language } from "./sentences.ts";
import type { Phoneme, SpeechSynthesizer } from "./synthesizer.ts";
import { isVowel, mouthCurves } from "./visemes.ts";
import type { MouthCurves } from "./visemes.ts";

/** A spoken sentence with everything that moves with it. Times in seconds from its start. */
export interface Utterance {
  readonly text: string;
  readonly language: Language;
  readonly voice: string;
  /** Mono, 16 kHz. */
  readonly samples: Float32Array;
  readonly duration: number;
  readonly phonemes: readonly Phoneme[];
  readonly curves: MouthCurves;
  /** Moments of stress (the middle of a stressed vowel) with a strength in 0–1. */
  readonly beats: readonly Beat[];
}

export interface Beat {
  readonly at: number;
  readonly strength: number;
}

const variants = {
  woman: ["f1", "f2", "f3", "f4", "belinda", "linda", "steph"],
  man: ["m1", "m2", "m3", "m4", "m7", "john", "max"],
  girl: ["f2", "f4", "f5"],
  boy: ["f5", "m3", "f1"],
} as const satisfies Record<Identity["kind"], readonly string[]>;

const accents: Record<Language, readonly string[]> = {
  en: ["en-us", "en", "en-gb-scotland", "en-gb-x-rp"],
  es: ["es", "es-419"],
  fr: ["fr"],
  de: ["de"],
  it: ["it"],
  pt: ["pt-br", "pt"],
  nl: ["nl"],
  sv: ["sv"],
};

/** How a person speaks: one voice for all of a performance. */
export interface Voice {
  readonly language: Language;
  readonly name: string;
  readonly rate: number;
  readonly pitch: number;
}

export function drawVoice(seed: number, kind: Identity["kind"], language?: Language): Voice {
  const random = new Random(seed).fork("voice");
  const spoken =
    language ??
    random.weighted([
      ["en", 8],
      ["es", 2],
      ["fr", 2],
      ["de", 2],
      ["it", 1.5],
      ["pt", 1],
      ["nl", 1],
      ["sv", 1],
    ] as const);
  const child = kind === "girl" || kind === "boy";
  return {
    language: spoken,
    name: `${random.pick(accents[spoken])}+${random.pick<string>(variants[kind])}`,
    rate: Math.round(random.range(130, 190)),
    pitch: Math.round(child ? random.range(60, 85) : random.range(35, 65)),
  };
}

/** Speak one sentence of the split. */
export function drawUtterance(synthesizer: SpeechSynthesizer, seed: number, voice: Voice, split: Split): Utterance {
  const text = drawSentence(hash(seed, "text"), voice.language, split);
  return speakUtterance(synthesizer, text, voice);
}

export function speakUtterance(synthesizer: SpeechSynthesizer, text: string, voice: Voice): Utterance {
  const { samples, phonemes } = synthesizer.speak({ text, voice: voice.name, rate: voice.rate, pitch: voice.pitch });
  const duration = samples.length / sampleRate;
  const beats = phonemes
    .filter(({ ipa, stress }) => stress > 0 && isVowel(ipa))
    .map(({ start, end, stress }) => ({ at: (start + end) / 2, strength: stress }));
  return {
    text,
    language: voice.language,
    voice: voice.name,
    samples,
    duration,
    phonemes,
    curves: mouthCurves(phonemes, duration),
    beats,
  };
}

/**
 * Utterances kept in memory, for workers that cannot afford a synthesis a clip: about √size voices of each kind of person with √size
 * sentences each.
 */
export class UtteranceBank {
  readonly #side: number;
  readonly #kept = new Map<string, Utterance>();

  constructor(size: number) {
    this.#side = Math.max(1, Math.round(Math.sqrt(size)));
  }

  /** The voice that stands for a seed. */
  voice(seed: number, kind: Identity["kind"], language?: Language): Voice {
    return drawVoice(seed % this.#side, kind, language);
  }

  draw(synthesizer: SpeechSynthesizer, seed: number, voice: Voice, split: Split): Utterance {
    const slot = seed % this.#side;
    const key = [split, voice.name, voice.rate, voice.pitch, slot].join(" ");
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = drawUtterance(synthesizer, slot, voice, split);
    this.#kept.set(key, made);
    return made;
  }
}
