import { captionOf } from "./caption.ts";
import { FigureRenderer } from "./figure/draw.ts";
import { frameView, framings } from "./figure/view.ts";
import type { Framing, View } from "./figure/view.ts";
import { drawIdentity } from "./identity.ts";
import type { Identity, Split } from "./identity.ts";
import { drawMotion, stateAt } from "./motion.ts";
import type { Motion } from "./motion.ts";
import { hash, Random } from "./random.ts";
import { addNoise, applyGain } from "./speech/degrade.ts";
import { sampleRate } from "./speech/resample.ts";
import type { SpeechSynthesizer } from "./speech/synthesizer.ts";
import { layTrack, renderTrack, silentTrack } from "./speech/track.ts";
import type { SpeechTrack } from "./speech/track.ts";
import { drawUtterance, drawVoice } from "./speech/utterance.ts";
import type { UtteranceBank, Voice } from "./speech/utterance.ts";
import type { Language } from "./speech/sentences.ts";

export interface PerformanceOptions {
  /** Identities and sentences of the two splits never meet. Default "train". */
  readonly split?: Split;
  /** Speech engine; without one the person is silent. */
  readonly synthesizer?: SpeechSynthesizer | null;
  /** Reuse utterances instead of speaking a new one each time. */
  readonly bank?: UtteranceBank | null;
  /** By default drawn: half portraits, the rest half and full figures. */
  readonly framing?: Framing;
  /** Pixels. By default drawn from 64×64, 48×80 and 80×48. */
  readonly width?: number;
  readonly height?: number;
  /** Frames a second. Default 12.5. */
  readonly fps?: number;
  /** Number of frames. Default 25. */
  readonly frames?: number;
  readonly language?: Language;
  /** Share of clips whose sound fits the mouth. Default 0.8. */
  readonly lipSyncRate?: number;
  /** Share of clips whose keypoints may be used. Default 0.7. */
  readonly poseRate?: number;
  /** Share of lip-synchronous clips with noise under the speech. Default 0.35. */
  readonly noiseRate?: number;
  /** Share of clips in which nobody speaks: a closed mouth goes with silence, too. Default 0.08. */
  readonly silentRate?: number;
}

/** Why a clip's sound does or does not fit its mouth. */
export type SoundKind = "clean" | "noise" | "replaced" | "drowned" | "muted";

/** A person who speaks and moves for a while: everything that is decided before frames are drawn. */
export interface Performance {
  readonly seed: number;
  readonly split: Split;
  readonly identity: Identity;
  readonly framing: Framing;
  readonly view: View;
  readonly fps: number;
  readonly frames: number;
  readonly caption: string;
  readonly voice: Voice | null;
  /** What is said, sentence by sentence. */
  readonly text: string;
  readonly track: SpeechTrack;
  readonly motion: Motion;
  /** Mono, 16 kHz, from the start of frame 0 to the end of the last frame. */
  readonly audio: Float32Array;
  readonly sound: SoundKind;
  /** Whether the sound fits the mouth (it may train the audio condition). */
  readonly lipSync: boolean;
  /** Whether the keypoints may train the pose condition. */
  readonly poseVisible: boolean;
}

const square: readonly [number, number] = [64, 64];
const tall: readonly [number, number] = [48, 80];
const broad: readonly [number, number] = [80, 48];

/**
 * Decide everything about a clip but its pixels.
 *
 * @param seed any integer; the same seed and options give the same performance
 */
export function preparePerformance(seed: number, options: PerformanceOptions = {}): Performance {
  const random = new Random(hash(seed, "performance"));
  const split = options.split ?? "train";
  const fps = options.fps ?? 12.5;
  const frames = options.frames ?? 25;
  const framing =
    options.framing ??
    random.fork("framing").weighted([
      [framings[0], 5],
      [framings[1], 3],
      [framings[2], 2],
    ] as const);
  const [width, height] = sizeOf(options, random.fork("size"));
  const identity = drawIdentity(hash(seed, "identity"), split);
  const camera = random.fork("camera");
  const view = frameView(framing, width, height, camera.range(0.92, 1.02), camera.range(-0.25, 0.25));
  const duration = frames / fps;
  const synthesizer = options.synthesizer ?? null;
  const speaker = hash(seed, "voice");
  const voice =
    synthesizer === null
      ? null
      : (options.bank?.voice(speaker, identity.kind, options.language) ??
        drawVoice(speaker, identity.kind, options.language));
  const silent = random.fork("silent").chance(options.silentRate ?? 0.08);
  const speak = (label: "speech" | "other speech"): SpeechTrack => {
    if (synthesizer === null || voice === null || (silent && label === "speech")) return silentTrack(duration);
    return layTrack(duration, random.fork(label), (index) => {
      const utterance = hash(seed, `${label} ${index}`);
      return options.bank
        ? options.bank.draw(synthesizer, utterance, voice, split)
        : drawUtterance(synthesizer, utterance, voice, split);
    });
  };
  const track = speak("speech");
  const sound = drawSound(random.fork("sound"), options);
  const audio = renderTrack(sound === "replaced" ? speak("other speech") : track, Math.round(duration * sampleRate));
  spoil(audio, sound, random.fork("spoil"));
  const motion = drawMotion(hash(seed, "motion"), identity, track, framing);
  const lipSync = sound === "clean" || sound === "noise";
  const speaking = track.placed.length > 0;
  return {
    seed,
    split,
    identity,
    framing,
    view,
    fps,
    frames,
    caption: captionOf(identity, framing, motion.gesture, speaking),
    voice,
    text: track.placed.map(({ utterance }) => utterance.text).join(" "),
    track,
    motion,
    audio,
    sound,
    lipSync,
    poseVisible: random.fork("pose").chance(options.poseRate ?? 0.7),
  };
}

function sizeOf(options: PerformanceOptions, random: Random): readonly [number, number] {
  const [width, height] = random.weighted([
    [square, 2],
    [tall, 1],
    [broad, 1],
  ] as const);
  if (options.width === undefined && options.height === undefined) return [width, height];
  const w = options.width ?? options.height ?? width;
  const h = options.height ?? w;
  if (!Number.isInteger(w) || !Number.isInteger(h) || w < 16 || h < 16) {
    throw new RangeError(`preparePerformance: width and height must be whole numbers of at least 16, got ${w}×${h}`);
  }
  return [w, h];
}

function drawSound(random: Random, options: PerformanceOptions): SoundKind {
  if (random.chance(options.lipSyncRate ?? 0.8)) return random.chance(options.noiseRate ?? 0.35) ? "noise" : "clean";
  return random.weighted([
    ["replaced", 3],
    ["drowned", 1],
    ["muted", 1],
  ] as const);
}

function spoil(audio: Float32Array, sound: SoundKind, random: Random): void {
  if (sound === "muted") return void audio.fill(0);
  const colour = random.pick(["white", "pink", "pink", "hum"] as const);
  if (sound === "noise") addNoise(audio, random, colour, random.range(8, 35));
  if (sound === "drowned") addNoise(audio, random, colour, random.range(-15, -5));
  applyGain(audio, random.range(-14, 2));
}

/** Seconds at which frame `index` is seen: the middle of its display time. */
export function frameTime(performance: Performance, index: number): number {
  return (index + 0.5) / performance.fps;
}

/** The renderer for a performance's person and camera. */
export function openRenderer(performance: Performance): FigureRenderer {
  return new FigureRenderer(performance.identity, performance.view);
}

/** State of the figure in frame `index`. */
export function frameState(performance: Performance, index: number): ReturnType<typeof stateAt> {
  return stateAt(performance.motion, frameTime(performance, index));
}
