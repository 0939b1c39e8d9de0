import type { Random } from "../random.ts";
import { sampleRate } from "./resample.ts";
import type { Beat, Utterance } from "./utterance.ts";
import { curveLead, curveRate } from "./visemes.ts";
import type { MouthCurves } from "./visemes.ts";

/** Utterances on a time line, with silence before, between and after them. */
export interface SpeechTrack {
  readonly duration: number;
  readonly placed: readonly PlacedUtterance[];
}

export interface PlacedUtterance {
  readonly utterance: Utterance;
  /** Start in seconds; negative when the clip begins in the middle of it. */
  readonly at: number;
}

/** Nobody says anything. */
export function silentTrack(duration: number): SpeechTrack {
  return { duration, placed: [] };
}

/**
 * Fill a time line with speech.
 *
 * @param duration seconds
 * @param next gives the utterances in order
 */
export function layTrack(duration: number, random: Random, next: (index: number) => Utterance): SpeechTrack {
  const placed: PlacedUtterance[] = [];
  let at = 0;
  for (let i = 0; at < duration; i++) {
    const utterance = next(i);
    if (i === 0)
      at = random.chance(0.4)
        ? random.range(0.15, Math.min(0.8, duration * 0.4))
        : -random.range(0, 0.6) * utterance.duration;
    placed.push({ utterance, at });
    at += utterance.duration + (random.chance(0.3) ? random.range(0.5, 1) : random.range(0.12, 0.4));
  }
  return { duration, placed };
}

/** The clean sound of a track. */
export function renderTrack(track: SpeechTrack, length: number): Float32Array {
  const out = new Float32Array(length);
  for (const { utterance, at } of track.placed) {
    const start = Math.round(at * sampleRate);
    const { samples } = utterance;
    for (let i = Math.max(0, -start); i < samples.length && start + i < length; i++)
      out[start + i] = (out[start + i] ?? 0) + (samples[i] ?? 0);
  }
  return out;
}

/** One mouth curve of the track at a time; `rest` where nobody speaks. */
export function curveAt(track: SpeechTrack, name: keyof MouthCurves, time: number, rest: number): number {
  for (const { utterance, at } of track.placed) {
    const position = (time - at + curveLead) * curveRate;
    const curve = utterance.curves[name];
    if (position < 0 || position >= curve.length - 1) continue;
    const i = Math.floor(position);
    const a = curve[i] ?? 0;
    return a + ((curve[i + 1] ?? 0) - a) * (position - i);
  }
  return rest;
}

/** Beats of the track between two times. */
export function beatsBetween(track: SpeechTrack, from: number, to: number): Beat[] {
  const found: Beat[] = [];
  for (const { utterance, at } of track.placed) {
    if (at > to || at + utterance.duration < from) continue;
    for (const beat of utterance.beats) {
      const time = at + beat.at;
      if (time >= from && time <= to) found.push({ at: time, strength: beat.strength });
    }
  }
  return found;
}

/** Whether somebody speaks at a time. */
export function isSpeaking(track: SpeechTrack, time: number): boolean {
  return track.placed.some(({ utterance, at }) => time >= at && time < at + utterance.duration);
}
