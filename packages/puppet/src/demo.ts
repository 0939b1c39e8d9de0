import { mouthWindowOf } from "./parts.ts";
import type { MouthWindow } from "./mouth-measure.ts";
import { FigureRenderer } from "./figure/draw.ts";
import { closedMouth, restingState } from "./figure/state.ts";
import { frameView } from "./figure/view.ts";
import { drawIdentity } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { sampleRate } from "./speech/resample.ts";
import type { SpeechSynthesizer } from "./speech/synthesizer.ts";
import { renderTrack } from "./speech/track.ts";
import { drawUtterance, drawVoice } from "./speech/utterance.ts";
import type { Utterance } from "./speech/utterance.ts";

/** A picture and a recording that no training clip ever held. */
export interface Demo {
  readonly identity: Identity;
  /** RGB bytes, [size, size, 3]. */
  readonly image: Uint8Array;
  readonly size: number;
  readonly mouthWindow: MouthWindow;
  /** Mono, 16 kHz, about five seconds. */
  readonly audio: Float32Array;
  readonly text: string;
}

const person = 226;
const lead = 0.25;
const gap = 0.35;
const shortest = 4.6;
const longest = 5.4;

/**
 * The demonstration: a held-out person drawn at rest, and two held-out English sentences in a voice of their own kind.
 *
 * @param size pixels of a side
 */
export function drawDemo(synthesizer: SpeechSynthesizer, size = 512): Demo {
  const identity = drawIdentity(person, "test");
  const renderer = new FigureRenderer(identity, frameView("portrait", size, size, 0.97));
  const image = new Uint8Array(size * size * 3);
  const skeleton = renderer.draw(
    { ...restingState, yaw: 0.06, pitch: 0.02, browRaise: 0.35, mouth: { ...closedMouth, smile: 0.7 } },
    image,
  );
  const voice = { ...drawVoice(person, identity.kind, "en"), rate: 150 };
  const [first, second] = sentencesOf((seed) => drawUtterance(synthesizer, seed, voice, "test"));
  const duration = Math.round((lead + first.duration + gap + second.duration + 0.3) * 100) / 100;
  const placed = [
    { utterance: first, at: lead },
    { utterance: second, at: lead + first.duration + gap },
  ];
  return {
    identity,
    image,
    size,
    mouthWindow: mouthWindowOf(skeleton),
    audio: renderTrack({ duration, placed }, Math.round(duration * sampleRate)),
    text: `${first.text} ${second.text}`,
  };
}

/** The first two full sentences that together last about five seconds. */
function sentencesOf(speak: (seed: number) => Utterance): readonly [Utterance, Utterance] {
  for (let seed = 0; ; seed += 2) {
    const pair = [speak(seed), speak(seed + 1)] as const;
    const length = lead + pair[0].duration + gap + pair[1].duration + 0.3;
    const wordy = pair.every(({ text }) => text.length >= 28);
    if (wordy && length >= shortest && length <= longest) return pair;
  }
}
