// oxlint-disable-next-line typescript/triple-slash-reference -- packages that compile this source must see the types, too
/// <reference path="./espeak-module.d.ts" />
import type { EspeakModule } from "@echogarden/espeak-ng-emscripten";
import { resample, sampleRate } from "./resample.ts";

/** One sound of speech. Times in seconds from the start of the utterance. */
export interface Phoneme {
  /** IPA without stress marks; empty for a pause. */
  readonly ipa: string;
  readonly start: number;
  readonly end: number;
  /** 1 primary, 0.5 secondary, 0 none. */
  readonly stress: number;
}

export interface SpeechRequest {
  readonly text: string;
  /** An espeak-ng voice with an optional variant, such as "en-us+f3". */
  readonly voice: string;
  /** Words per minute, about 120–220. */
  readonly rate: number;
  /** 0–99, 50 is the voice's own. */
  readonly pitch: number;
}

export interface Speech {
  /** Mono, 16 kHz, in [−1, 1]. */
  readonly samples: Float32Array;
  readonly phonemes: readonly Phoneme[];
}

/** Text to speech with phoneme times; a pure function of the request. */
export interface SpeechSynthesizer {
  speak(request: SpeechRequest): Speech;
}

/** Raised when the speech engine cannot be loaded or knows no such voice. */
export class SpeechError extends Error {
  override readonly name = "SpeechError";
}

/**
 * Load espeak-ng (WebAssembly).
 *
 * The engine's whole memory is put back to one snapshot before each utterance, so that an utterance never depends on those
 * before it.
 *
 * @param data where `espeak-ng.data` lies, for bundled pages; by default beside the module (Node, unbundled pages)
 * @throws SpeechError when the engine or its data cannot be loaded
 */
export async function openSynthesizer(data?: URL | string | ArrayBuffer): Promise<SpeechSynthesizer> {
  const { default: open } = await import("@echogarden/espeak-ng-emscripten");
  const bytes = data === undefined || data instanceof ArrayBuffer ? data : await fetchData(data);
  const espeak = await open(bytes === undefined ? {} : { getPreloadedPackage: () => bytes });
  const worker = withFixedClock(() => {
    const made = new espeak.eSpeakNGWorker();
    // The first utterance of a process differs in length from all later ones.
    made.set_voice("en-us");
    made.synthesize("One.", () => false);
    return made;
  });
  const snapshot = espeak.HEAPU8.slice();
  const rate = worker.get_samplerate();
  return {
    speak({ text, voice, rate: speed, pitch }) {
      restore(espeak, snapshot);
      if (worker.set_voice(voice) !== 0)
        throw new SpeechError(`speak: voice must be one that espeak-ng has, got "${voice}"`);
      worker.set_rate(speed);
      worker.set_pitch(pitch);
      const chunks: Int16Array[] = [];
      const marks: { ipa: string; at: number }[] = [];
      worker.synthesize(text, (audio, events) => {
        chunks.push(audio);
        for (const event of events)
          if (event.type === "phoneme") marks.push({ ipa: String(event.id ?? ""), at: event.audio_position / 1000 });
        return false;
      });
      const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      const samples = new Float32Array(total);
      let at = 0;
      for (const chunk of chunks) {
        for (let i = 0; i < chunk.length; i++) samples[at + i] = (chunk[i] ?? 0) / 32768;
        at += chunk.length;
      }
      const duration = total / rate;
      const starts = marks.map(({ at: mark }, i) =>
        i > 0 && marks[i - 1]?.ipa !== "" ? occlusionStart(samples, rate, mark) : mark,
      );
      const phonemes = marks.map(({ ipa }, i): Phoneme => {
        const stress = ipa.includes("ˈ") ? 1 : ipa.includes("ˌ") ? 0.5 : 0;
        const start = starts[i] ?? 0;
        return { ipa: ipa.replace(/[ˈˌ]/g, ""), start, end: Math.max(start, starts[i + 1] ?? duration), stress };
      });
      return { samples: resample(samples, rate, sampleRate), phonemes };
    },
  };
}

// A stop's silence lasts about 45 ms; nothing in running speech is silent for longer but a pause.
const longestOcclusion = 0.09;
const silence = 0.004;

/**
 * Where the silence that ends at `mark` (seconds) began.
 *
 * espeak-ng marks a voiceless stop at its burst and counts the occlusion before it to the sound before. The mouth is
 * already shut then.
 */
function occlusionStart(samples: Float32Array, rate: number, mark: number): number {
  const last = Math.round(mark * rate);
  const first = Math.max(0, Math.round((mark - longestOcclusion) * rate));
  // The event's time is in whole milliseconds.
  const slack = Math.round(0.002 * rate);
  let at = last;
  while (at > first && (Math.abs(samples[at] ?? 0) < silence || last - at < slack)) at--;
  return last - at > 0.015 * rate ? at / rate : mark;
}

/** The engine seeds its noise from the clock when it starts; a fixed clock makes speech the same in every process. */
function withFixedClock<T>(start: () => T): T {
  const now = Date.now;
  Date.now = () => 0;
  try {
    return start();
  } finally {
    Date.now = now;
  }
}

function restore(espeak: EspeakModule, snapshot: Uint8Array): void {
  const heap = espeak.HEAPU8;
  heap.set(snapshot);
  // Memory grown since then must look fresh, too.
  if (heap.length > snapshot.length) heap.fill(0, snapshot.length);
}

async function fetchData(url: URL | string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok)
    throw new SpeechError(`openSynthesizer: data must be reachable, got ${response.status} for ${String(url)}`);
  return response.arrayBuffer();
}
