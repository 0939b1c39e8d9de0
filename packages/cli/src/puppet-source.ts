import { convertTrack, upperBody8, type KeypointTrack } from "@omni/pose";
import {
  boxNames,
  clip as drawPuppet,
  curveAt,
  keypointNames,
  openSynthesizer,
  partMask,
  preparePerformance,
  UtteranceBank,
  visemeClass,
  type PerformanceOptions,
  type PuppetClip,
  type Split,
} from "@omni/puppet";
import type { ClipSource, SpeechSample, SpeechSource, TrainingClip } from "@omni/trainer";

/** Utterances kept spoken: about 24 voices of each kind of person with 24 sentences each. */
const BANK_SIZE = 576;

/** Puppets as training data. */
export interface PuppetSource {
  readonly clips: ClipSource;
  readonly speech: SpeechSource;
  /** The clip itself, with all its ground truth. */
  readonly puppet: (index: number, options: PerformanceOptions) => PuppetClip;
}

/**
 * Opens the speech engine and gives endless clips of a split; clip `index` is always the same.
 *
 * @param defaults of every clip
 */
export async function openPuppets(split: Split, seed = 0, defaults: PerformanceOptions = {}): Promise<PuppetSource> {
  const synthesizer = await openSynthesizer();
  const bank = split === "train" ? new UtteranceBank(BANK_SIZE) : null;
  const seedOf = (index: number): number => seed * 1_000_003 + index;
  const puppet = (index: number, options: PerformanceOptions): PuppetClip =>
    drawPuppet(seedOf(index), { split, synthesizer, bank, ...defaults, ...options });
  return {
    puppet,
    clips: (index, { width, height, frames }) => trainingClip(puppet(index, { width, height, frames })),
    speech: (index, seconds) => speechSample(seedOf(index), { split, synthesizer, bank }, seconds),
  };
}

/** What pixels count beside those that stand still: a mouth is the smallest part of a frame and what people look at; head and arms move as a whole. */
const IMPORTANCE = [
  { parts: ["mouth"], value: 4 },
  { parts: ["eyes", "leftHand", "rightHand"], value: 1 },
  { parts: ["head", "hair", "brows", "arms"], value: 0.25 },
] as const;

/** Of all that a mouth may cover as it opens: a shut mouth is a line of pixels, and must be learnt where the reference's is open. */
const MOUTH_ROOM = 2;

function movingParts({ labels, boxes, frames, width, height }: PuppetClip): Float32Array {
  const out = new Float32Array(labels.length);
  for (let f = 0; f < frames; f++) {
    const box = boxes.subarray((f * boxNames.length + boxNames.indexOf("mouth")) * 4);
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
    for (let y = Math.floor(y0); y < y1; y++)
      for (let x = Math.floor(x0); x < x1; x++) out[(f * height + y) * width + x] = MOUTH_ROOM;
  }
  for (const { parts, value } of IMPORTANCE)
    partMask(labels, parts).forEach((on, i) => (out[i] = Math.max(out[i] ?? 0, on * value)));
  return out;
}

/** A puppet clip as the trainer takes it. */
export function trainingClip(clip: PuppetClip): TrainingClip {
  const { frames, width, height, fps, video, audio, caption, lipSync, poseVisible, reference } = clip;
  return {
    frames,
    width,
    height,
    fps,
    video,
    audio,
    caption,
    lipSync,
    silent: clip.text === "",
    poseVisible,
    reference: reference.image,
    keypoints: poseTrack(clip).points,
    moving: movingParts(clip),
  };
}

/** The eight points of the upper body: head and neck are the nose and the middle of the shoulders. */
export function poseTrack(clip: PuppetClip): KeypointTrack {
  const { frames, width, height, fps, keypoints } = clip;
  const names = keypointNames.map(snakeCase);
  const count = names.length;
  const points = new Float32Array(frames * (count + 2) * 3);
  const at = (name: string): number => names.indexOf(name);
  for (let f = 0; f < frames; f++) {
    const point = (k: number): [number, number, number] => {
      const i = (f * count + k) * 3;
      return [(keypoints[i] ?? 0) / width, (keypoints[i + 1] ?? 0) / height, keypoints[i + 2] ?? 0];
    };
    const out = f * (count + 2) * 3;
    for (let k = 0; k < count; k++) points.set(point(k), out + k * 3);
    const left = point(at("left_shoulder"));
    const right = point(at("right_shoulder"));
    points.set(point(at("nose")), out + count * 3);
    points.set(
      [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2, Math.min(left[2], right[2])],
      out + (count + 1) * 3,
    );
  }
  const schema = { name: "puppet", keypoints: [...names, "head", "neck"], edges: [], groups: {} };
  return convertTrack({ schema, fps, width, height, points }, upperBody8);
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function speechSample(seed: number, options: PerformanceOptions, seconds: number): SpeechSample {
  const fps = 25;
  const performance = preparePerformance(seed, { ...options, fps, frames: Math.round(seconds * fps), lipSyncRate: 1 });
  const { track, audio } = performance;
  const window = 160;
  const loudnessAt = (time: number): number => {
    const centre = Math.round(time * 16_000);
    let sum = 0;
    for (let i = centre - window; i < centre + window; i++) sum += (audio[i] ?? 0) ** 2;
    const db = 10 * Math.log10(sum / (2 * window) + 1e-8);
    return Math.min(1, Math.max(0, (db + 60) / 50));
  };
  return {
    audio,
    classAt: (time) => {
      for (const { utterance, at } of track.placed) {
        const local = time - at;
        if (local < 0 || local >= utterance.duration) continue;
        const phoneme = utterance.phonemes.find((p) => local >= p.start && local < p.end);
        return phoneme ? visemeClass(phoneme.ipa) : 0;
      }
      return 0;
    },
    curvesAt: (time) => [curveAt(track, "open", time, 0), curveAt(track, "width", time, 0.5), loudnessAt(time)],
  };
}
