import { finite, KeypointFormatError, list, record, wrong } from "./json-checks.ts";
import { keypointSchemas } from "./keypoints.ts";
import type { KeypointSchema } from "./keypoints.ts";
import { frameCount, keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

/** Keypoints as a file holds them: points in pixels. */
export interface KeypointFile {
  /** Name of a known schema, or a schema spelled out. */
  readonly schema: string | KeypointSchema;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  /** frames[f][k] = [x, y, visibility], x and y in pixels, visibility in [0, 1] or COCO's 0, 1, 2. */
  readonly frames: readonly (readonly (readonly number[])[])[];
}

/**
 * Reads keypoints from parsed JSON.
 *
 * @throws KeypointFormatError naming the place that is wrong
 */
export function parseKeypoints(json: unknown): KeypointTrack {
  const file = record(json, "keypoints");
  const schema = parseSchema(file.schema);
  const [fps, width, height] = [
    positive(file.fps, "fps"),
    positive(file.width, "width"),
    positive(file.height, "height"),
  ];
  const frames = list(file.frames, "frames");
  const count = schema.keypoints.length;
  const points = new Float32Array(frames.length * count * 3);
  for (const [f, frame] of frames.entries()) {
    const row = list(frame, `frames[${f}]`);
    if (row.length !== count) {
      throw new KeypointFormatError(`keypoints: frames[${f}] must have ${count} points, got ${row.length}`);
    }
    for (const [k, point] of row.entries()) {
      const [x, y, visibility] = list(point, `frames[${f}][${k}]`);
      const path = `frames[${f}][${k}]`;
      points.set(
        [finite(x, path) / width, finite(y, path) / height, Math.min(1, Math.max(0, finite(visibility, path)))],
        3 * (f * count + k),
      );
    }
  }
  return { schema, fps, width, height, points };
}

/** The track as JSON writes it, pixels rounded to hundredths. A known schema goes by its name. */
export function keypointsToJson(track: KeypointTrack): KeypointFile {
  const { schema, fps, width, height } = track;
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    schema: keypointSchemas.includes(schema) ? schema.name : schema,
    fps,
    width,
    height,
    frames: Array.from({ length: frameCount(track) }, (_, frame) =>
      schema.keypoints.map((_name, k) => {
        const { x, y, visibility } = keypointAt(track, frame, k);
        return [round(x * width), round(y * height), round(visibility)];
      }),
    ),
  };
}

function parseSchema(json: unknown): KeypointSchema {
  if (typeof json === "string") {
    const known = keypointSchemas.find(({ name }) => name === json);
    if (known) return known;
    const names = keypointSchemas.map(({ name }) => name).join(", ");
    throw new KeypointFormatError(`keypoints: schema must be one of ${names} or spelled out, got "${json}"`);
  }
  const source = record(json, "schema");
  const keypoints = list(source.keypoints, "schema.keypoints").map((name) => text(name, "schema.keypoints"));
  const index = (value: unknown, path: string): number => {
    const i = finite(value, path);
    if (!Number.isInteger(i) || i < 0 || i >= keypoints.length) {
      throw new KeypointFormatError(`keypoints: ${path} must hold indices below ${keypoints.length}, got ${i}`);
    }
    return i;
  };
  const edges = list(source.edges ?? [], "schema.edges").map((edge, i): readonly [number, number] => {
    const [a, b] = list(edge, `schema.edges[${i}]`);
    return [index(a, `schema.edges[${i}]`), index(b, `schema.edges[${i}]`)];
  });
  const groups = Object.fromEntries(
    Object.entries(record(source.groups ?? {}, "schema.groups")).map(([name, members]) => {
      const path = `schema.groups.${name}`;
      return [name, list(members, path).map((member) => index(member, path))];
    }),
  );
  const plain = { name: text(source.name, "schema.name"), keypoints, edges, groups };
  if (source.sigmas === undefined) return plain;
  return { ...plain, sigmas: list(source.sigmas, "schema.sigmas").map((s) => finite(s, "schema.sigmas")) };
}

function positive(value: unknown, path: string): number {
  const number = finite(value, path);
  if (number <= 0) throw wrong(path, "above 0", value);
  return number;
}

function text(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(path, "text", value);
  return value;
}
