import { finite, KeypointFormatError, list, record, wrong } from "./json-checks.ts";
import { keypointIndices } from "./keypoints.ts";
import { frameCount, keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";
import { leftHand, openPose137, openPose18Body, openPose25Body, openPoseFace, rightHand } from "./whole-body.ts";

/** One frame as OpenPose writes it, with the size of the picture as ControlNet's tools add it. Points are x, y, confidence in pixels. */
export interface OpenPoseFrame {
  readonly version: number;
  readonly canvas_width: number;
  readonly canvas_height: number;
  /** Frames a second: not OpenPose's own. */
  readonly fps: number;
  readonly people: readonly {
    readonly pose_keypoints_2d: readonly number[];
    readonly face_keypoints_2d: readonly number[];
    readonly hand_left_keypoints_2d: readonly number[];
    readonly hand_right_keypoints_2d: readonly number[];
  }[];
}

const PARTS = [
  ["pose_keypoints_2d", openPose25Body],
  ["face_keypoints_2d", openPoseFace],
  ["hand_left_keypoints_2d", leftHand],
  ["hand_right_keypoints_2d", rightHand],
] as const;

/** What a file that lacks them is taken to say. */
export interface OpenPoseDefaults {
  readonly fps: number;
  /** Size of the pictures that the points were found in, pixels. */
  readonly width?: number;
  readonly height?: number;
}

/** True for parsed JSON that OpenPose or a tool like it wrote: a frame with `people`, or a list of them. */
export function isOpenPose(json: unknown): boolean {
  const first: unknown = Array.isArray(json) ? json[0] : json;
  return typeof first === "object" && first !== null && "people" in first;
}

/**
 * Reads frames of OpenPose's JSON: bodies of 25 or 18 points, with or without hands and face. Of several people the one counts that is seen best.
 *
 * @param json one frame or a list of frames
 * @throws KeypointFormatError naming the place that is wrong
 */
export function parseOpenPose(json: unknown, defaults: OpenPoseDefaults): KeypointTrack {
  const frames: readonly unknown[] = Array.isArray(json) ? json : [json];
  const first = record(frames[0], "frames[0]");
  const width = side(first["canvas_width"] ?? defaults.width, "canvas_width");
  const height = side(first["canvas_height"] ?? defaults.height, "canvas_height");
  const fps = side(first["fps"] ?? defaults.fps, "fps");
  const count = openPose137.keypoints.length;
  const points = new Float32Array(frames.length * count * 3);
  for (const [f, frame] of frames.entries()) {
    const path = `frames[${f}]`;
    const people = list(record(frame, path)["people"], `${path}.people`);
    const read = people.map((person, i) => readPerson(record(person, `${path}.people[${i}]`), `${path}.people[${i}]`));
    const best = read.reduce<Person | null>((a, b) => (a !== null && a.confidence >= b.confidence ? a : b), null);
    if (best === null) continue;
    for (const [k, [x, y, score]] of best.points) points.set([x / width, y / height, score], 3 * (f * count + k));
  }
  return { schema: openPose137, fps, width, height, points };
}

interface Person {
  readonly confidence: number;
  /** By index in `openPose137`. */
  readonly points: ReadonlyMap<number, readonly [x: number, y: number, score: number]>;
}

function readPerson(person: Record<string, unknown>, path: string): Person {
  const points = new Map<number, readonly [number, number, number]>();
  let confidence = 0;
  for (const [part, schemaNames] of PARTS) {
    const values = list(person[part] ?? [], `${path}.${part}`);
    const names: readonly string[] = values.length === 3 * openPose18Body.length ? openPose18Body : schemaNames;
    if (values.length !== 0 && values.length !== 3 * names.length && values.length !== 3 * 68)
      throw new KeypointFormatError(
        `keypoints: ${path}.${part} must hold ${3 * names.length} numbers, got ${values.length}`,
      );
    for (let i = 0; i < values.length; i += 3) {
      const [x, y, score] = [0, 1, 2].map((j) => finite(values[i + j], `${path}.${part}[${i + j}]`));
      points.set(openPose137.keypoints.indexOf(names[i / 3] ?? ""), [
        x ?? 0,
        y ?? 0,
        Math.min(1, Math.max(0, score ?? 0)),
      ]);
      confidence += score ?? 0;
    }
  }
  return { confidence, points };
}

/**
 * The track as OpenPose's JSON, one object a frame; points that it has and the track lacks are zeros, but for the neck and the middle of the hips, which
 * lie between their sides.
 */
export function openPoseJson(track: KeypointTrack): OpenPoseFrame[] {
  const indices = keypointIndices(track.schema, openPose137);
  const between: Readonly<Record<string, readonly [string, string]>> = {
    neck: ["left_shoulder", "right_shoulder"],
    mid_hip: ["left_hip", "right_hip"],
  };
  const place = (frame: number, name: string): readonly [number, number, number] => {
    const found = indices[openPose137.keypoints.indexOf(name)] ?? -1;
    if (found >= 0) {
      const { x, y, visibility } = keypointAt(track, frame, found);
      return visibility === 0 ? [0, 0, 0] : [x * track.width, y * track.height, visibility];
    }
    const sides = between[name];
    if (sides === undefined) return [0, 0, 0];
    const [a, b] = [place(frame, sides[0]), place(frame, sides[1])];
    const seen = Math.min(a[2], b[2]);
    return seen === 0 ? [0, 0, 0] : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, seen];
  };
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  return Array.from({ length: frameCount(track) }, (_, frame) => {
    const part = (names: readonly string[]): number[] => names.flatMap((name) => place(frame, name).map(round));
    return {
      version: 1.3,
      canvas_width: track.width,
      canvas_height: track.height,
      fps: track.fps,
      people: [
        {
          pose_keypoints_2d: part(openPose25Body),
          face_keypoints_2d: part(openPoseFace),
          hand_left_keypoints_2d: part(leftHand),
          hand_right_keypoints_2d: part(rightHand),
        },
      ],
    };
  });
}

function side(value: unknown, path: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw wrong(path, "a number above 0 (OpenPose leaves it out: add it to the first frame)", value);
}
