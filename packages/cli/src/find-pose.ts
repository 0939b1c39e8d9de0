import { getDevice } from "@omni/core";
import type { AdapterChoice } from "@omni/core";
import { createVideoWriter, readImage, readVideo, writeImage } from "@omni/media";
import type { Image, VideoReader } from "@omni/media";
import {
  drawPose,
  estimateTrack,
  fillGaps,
  frameCount,
  hideBelow,
  keypointsToJson,
  MoveNet,
  MoveNetEstimator,
  oneEuro,
  OnnxPoseEstimator,
  openPoseJson,
  poseWeightsIn,
  retarget,
} from "@omni/pose";
import type { KeypointTrack, PoseEstimator } from "@omni/pose";
import { note } from "./context.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./failure.ts";
import { findPoseWeights } from "./pose-weights.ts";
import { Progress } from "./progress.ts";
import { writeText } from "./write-text.ts";

/** What `omni pose` is asked for. */
export interface PoseRequest {
  readonly input: string;
  readonly out: string;
  readonly format: "omni" | "openpose";
  readonly overlay: string | null;
  /** Picture of the person whose proportions and place the pose is to take. */
  readonly reference: string | null;
  /** An ONNX network in place of MoveNet. */
  readonly model: string | null;
  /** Folder of MoveNet and hand landmarks; null: installed, cached or fetched. */
  readonly weights: string | null;
  /** Points less sure are left out. */
  readonly confidence: number;
  readonly mirrored: boolean;
  readonly adapter: AdapterChoice | null;
}

/** What was found. */
export interface FoundPose {
  readonly frames: number;
  /** Points of one frame that were seen, on average. */
  readonly seen: number;
  readonly points: number;
  /** Seconds that it took. */
  readonly elapsed: number;
}

/** Gaps of up to this many frames are bridged. */
const MAX_GAP = 5;
const isVideo = (path: string): boolean => /\.(mp4|m4v|mov|webm|mkv|ts)$/i.test(path);

/** Finds the person in a picture or video and writes their points, and on demand a picture or video with them drawn in. */
export async function findPose(request: PoseRequest, context: Context): Promise<FoundPose> {
  const { input, overlay, reference } = request;
  const drawn = reference ?? input;
  if (overlay !== null && isVideo(overlay) !== isVideo(input))
    throw new UsageError(
      `--overlay must end in ${isVideo(input) ? ".mp4 or .webm, as a video was given" : ".png, .jpg or .webp, as a picture was given"}, got ${overlay}`,
    );
  const started = performance.now();
  const video = isVideo(input) ? await readVideo(input) : null;
  try {
    const image = video ? null : await readImage(input);
    const person = reference === null ? null : await readImage(reference);
    if (request.adapter !== null) await getDevice({ adapter: request.adapter });
    const estimator = await loadEstimator(request, context);
    note(context, (await getDevice()).description);
    const track = await search(estimator, request, image ?? video, context);
    const target = person && sure(await estimateTrack(estimator, { frames: [person], fps: 1 }), request);
    const result = target ? moved(track, target, drawn) : track;
    const json = request.format === "openpose" ? openPoseJson(result) : keypointsToJson(result);
    await writeText(request.out, `${JSON.stringify(json)}\n`);
    if (overlay !== null) await writeOverlay(overlay, result, person ?? image, video);
    const points = result.schema.keypoints.length;
    const visible = result.points.filter((value, i) => i % 3 === 2 && value > 0).length;
    const frames = frameCount(result);
    return { frames, seen: visible / frames, points, elapsed: (performance.now() - started) / 1000 };
  } finally {
    await video?.close();
  }
}

async function loadEstimator({ model, weights }: PoseRequest, context: Context): Promise<PoseEstimator> {
  const networks = poseWeightsIn(weights ?? (await findPoseWeights(context)));
  if (model === null) return MoveNetEstimator.load(networks);
  return OnnxPoseEstimator.load(model, { detector: await MoveNet.load(networks.body) });
}

async function search(
  estimator: PoseEstimator,
  request: PoseRequest,
  source: Image | VideoReader | null,
  context: Context,
): Promise<KeypointTrack> {
  const { mirrored } = request;
  const { signal } = context;
  if (source === null) throw new UsageError("give a picture or a video");
  if ("data" in source) {
    const frames = [source];
    return sure(await estimateTrack(estimator, { frames, fps: 1, mirrored, signal }), request);
  }
  const { fps, duration } = source;
  const count = Math.max(1, Math.round(duration * fps));
  const progress = new Progress(context, "looking");
  try {
    const onFrame = (_image: unknown, _points: unknown, frame: number): void =>
      progress.update(Math.min(1, (frame + 1) / count), `frame ${frame + 1} of ${count}`);
    const found = await estimateTrack(estimator, { frames: images(source), fps, mirrored, signal, onFrame });
    return oneEuro(fillGaps(sure(found, request), MAX_GAP));
  } finally {
    progress.stop();
  }
}

const sure = (track: KeypointTrack, { confidence }: PoseRequest): KeypointTrack => hideBelow(track, confidence);

async function* images(video: VideoReader): AsyncGenerator<Image> {
  for await (const { image } of video.frames()) yield image;
}

function moved(track: KeypointTrack, target: KeypointTrack, name: string): KeypointTrack {
  try {
    return retarget(track, target);
  } catch (cause) {
    if (cause instanceof RangeError) throw new UsageError(`${name}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** @param still what each frame's pose is drawn on, in place of the video */
async function writeOverlay(
  path: string,
  track: KeypointTrack,
  still: Image | null,
  video: VideoReader | null,
): Promise<void> {
  const draw = (image: Image, frame: number): Image => {
    const copy = { ...image, data: image.data.slice() };
    drawPose(copy, track, frame);
    return copy;
  };
  if (video === null) {
    if (still) await writeImage(path, draw(still, 0));
    return;
  }
  const writer = await createVideoWriter({ path, width: track.width, height: track.height, fps: track.fps });
  try {
    let frame = 0;
    for await (const image of still ? Array.from({ length: frameCount(track) }, () => still) : images(video))
      await writer.writeFrame(draw(image, frame++));
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
