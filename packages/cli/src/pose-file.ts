import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FrameSize } from "@omni/human";
import type { Box } from "@omni/media";
import {
  convertTrack,
  fillGaps,
  frameCount,
  hideBelow,
  isOpenPose,
  keypointAt,
  parseKeypoints,
  parseOpenPose,
  upperBody8,
} from "@omni/pose";
import type { KeypointTrack } from "@omni/pose";
import { UsageError } from "./failure.ts";

/** Gaps of up to this many frames are bridged. */
const MAX_GAP = 5;
/** Points that an estimator was less sure of are left out; the model was trained with points that are there or not. */
const MIN_CONFIDENCE = 0.3;
/** Frames a second of OpenPose's files, which do not say: those of most videos. */
const OPENPOSE_FPS = 25;

/**
 * Reads the keypoints that drive a video: our own JSON, OpenPose's, or a folder with OpenPose's frames.
 *
 * @throws UsageError or KeypointFormatError
 */
export async function readPose(path: string): Promise<KeypointTrack> {
  const json = await readKeypoints(path);
  const found = isOpenPose(json) ? parseOpenPose(json, { fps: OPENPOSE_FPS }) : parseKeypoints(json);
  if (frameCount(found) === 0) throw new UsageError(`${path}: there are no frames; give at least one`);
  const sure = hideBelow(found, MIN_CONFIDENCE);
  const points = sure.points.map((value, i) => (i % 3 === 2 && value > 0 ? 1 : value));
  return fillGaps(convertTrack(withHeadAndNeck({ ...sure, points }), upperBody8), MAX_GAP);
}

async function readKeypoints(path: string): Promise<unknown> {
  const isFolder = await stat(path).then(
    (file) => file.isDirectory(),
    () => false,
  );
  if (!isFolder) return readJson(path);
  const names = (await readdir(path)).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(names.map((name) => readJson(join(path, name))));
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new UsageError(`${path}: no such file, or it may not be read; check the path`);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${path}: this is not JSON; give keypoints as packages/pose/README.md describes them`);
  }
}

/** Adds what COCO lacks and the model knows: the head at the nose, the neck between the shoulders. */
function withHeadAndNeck(track: KeypointTrack): KeypointTrack {
  const { schema } = track;
  const at = (name: string): number => schema.keypoints.indexOf(name);
  if (at("head") >= 0 || at("nose") < 0) return track;
  const count = schema.keypoints.length;
  const frames = frameCount(track);
  const points = new Float32Array(frames * (count + 2) * 3);
  for (let frame = 0; frame < frames; frame++) {
    const nose = keypointAt(track, frame, at("nose"));
    const left = keypointAt(track, frame, at("left_shoulder"));
    const right = keypointAt(track, frame, at("right_shoulder"));
    points.set(track.points.subarray(frame * count * 3, (frame + 1) * count * 3), frame * (count + 2) * 3);
    points.set(
      [
        nose.x,
        nose.y,
        nose.visibility,
        (left.x + right.x) / 2,
        (left.y + right.y) / 2,
        Math.min(left.visibility, right.visibility),
      ],
      (frame * (count + 2) + count) * 3,
    );
  }
  return { ...track, schema: { ...schema, keypoints: [...schema.keypoints, "head", "neck"] }, points };
}

/**
 * Moves keypoints that were found in the whole picture into the part of it that the frames show.
 *
 * @param picture size of the whole picture, pixels
 * @param box the part, pixels of the picture
 */
export function cropPose(track: KeypointTrack, picture: FrameSize, box: Box): KeypointTrack {
  const points = track.points.slice();
  for (let i = 0; i < points.length; i += 3) {
    points[i] = ((points[i] ?? 0) * picture.width - box.x) / box.width;
    points[i + 1] = ((points[i + 1] ?? 0) * picture.height - box.y) / box.height;
  }
  return { ...track, width: box.width, height: box.height, points };
}
