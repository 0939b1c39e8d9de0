import { getDevice } from "@omni/core";
import type { AdapterChoice } from "@omni/core";
import { generate, nearestSize } from "@omni/human";
import type { FrameSize, GenerateOptions, GenerateProgress, OmniHuman, Picture } from "@omni/human";
import { createVideoWriter, openAudio, readAudio } from "@omni/media";
import type { VideoWriter } from "@omni/media";
import { note } from "./context.ts";
import type { Context } from "./context.ts";
import { Interrupted } from "./failure.ts";
import { fitPicture, readPicture } from "./picture.ts";
import { cropPose, readPose } from "./pose-file.ts";
import { Progress } from "./progress.ts";
import { openLog } from "./run-log.ts";
import type { RunLog } from "./run-log.ts";

/** What `omni animate` is asked for; null is the model's own choice. */
export interface AnimateRequest {
  readonly image: string;
  readonly audio: string | null;
  readonly text: string | null;
  readonly pose: string | null;
  readonly out: string;
  readonly seconds: number | null;
  readonly steps: number | null;
  /** Guidance at the first step; it falls to 1 at the last. */
  readonly guidance: number | null;
  readonly seed: number;
  readonly size: FrameSize | null;
  readonly fit: "crop" | "pad";
  readonly weights: string | null;
  /** What int8 weights become on the device. */
  readonly int8: "keep" | "widen";
  readonly adapter: AdapterChoice | null;
  /** JSONL file. */
  readonly log: string | null;
}

/** A request with nothing but the model's own choices. */
export const plainRequest = {
  text: null,
  pose: null,
  seconds: null,
  steps: null,
  guidance: null,
  seed: 0,
  size: null,
  fit: "crop",
  weights: null,
  int8: "widen",
  adapter: null,
  log: null,
} as const satisfies Partial<AnimateRequest>;

/** A written video. */
export interface Animation {
  readonly frames: number;
  /** Of the video. */
  readonly seconds: number;
  /** In the file, pixels. */
  readonly width: number;
  readonly height: number;
  readonly segments: number;
  /** Time it took. */
  readonly elapsed: number;
}

/**
 * From files to a video file: reads picture, sound and pose, generates segment by segment, writes as it goes.
 *
 * @param onFrame sees each frame before it is enlarged
 * @throws Interrupted after Ctrl-C; the finished segments are then a playable file
 */
export async function animate(
  request: AnimateRequest,
  context: Context,
  onFrame: (frame: Picture) => void = () => undefined,
): Promise<Animation> {
  const started = performance.now();
  const image = await readPicture(request.image);
  const sound = request.audio === null ? null : await readAudio(request.audio);
  const track = request.pose === null ? null : await readPose(request.pose);
  if (request.adapter !== null) await getDevice({ adapter: request.adapter });
  const model = await context.loadModel(request.weights, { int8: request.int8 });
  const { description } = await getDevice();
  note(context, description);

  const size = request.size ?? nearestSize(image, model.config.clip.sizes);
  const { picture, box } = fitPicture(image, size, request.fit);
  const options: GenerateOptions = {
    ...choices(request, model, context),
    reference: picture,
    audio: sound && sound.samples,
    pose: track && cropPose(track, image, box),
    signal: context.signal,
  };
  const log = openLog(request.log);
  const audio = request.audio === null ? null : await openAudio(request.audio);
  try {
    const { fps } = model.config.clip;
    const writer = await createVideoWriter({ path: request.out, ...size, fps, ...(audio && { audio }) });
    log.write("start", { ...request, ...size, adapter: description });
    const segments = await writeSegments(writer, { model, options, context, log, onFrame, out: request.out });
    const { frames, duration, width, height } = await writer.finish();
    const elapsed = (performance.now() - started) / 1000;
    log.write("end", { frames, seconds: duration, elapsed });
    return { frames, seconds: duration, width, height, segments, elapsed };
  } finally {
    await audio?.close();
    log.close();
  }
}

/** What the user said, and nothing where the model is to choose. */
function choices(request: AnimateRequest, { config, tokenizer }: OmniHuman, context: Context): GenerateOptions {
  const { text, seconds, steps, guidance, seed } = request;
  if (text !== null) for (const warning of tokenizer.batch([text], config.text).warnings) note(context, warning);
  return {
    seed,
    ...(text !== null && { text }),
    ...(seconds !== null && { seconds }),
    ...(steps !== null && { steps }),
    ...(guidance !== null && { guidance: { kind: "linear", start: guidance, end: Math.min(1, guidance) } }),
  };
}

interface Writing {
  readonly model: OmniHuman;
  readonly options: GenerateOptions;
  readonly context: Context;
  readonly log: RunLog;
  readonly onFrame: (frame: Picture) => void;
  readonly out: string;
}

/** Generates and writes; after a failure nothing is left, after Ctrl-C what was finished. Returns the number of segments. */
async function writeSegments(writer: VideoWriter, work: Writing): Promise<number> {
  const { model, options, context, log, onFrame, out } = work;
  const progress = new Progress(context, "animating");
  let written = 0;
  let count = 0;
  const onProgress = ({ fraction, segment, segments, step, steps }: GenerateProgress): void =>
    progress.update(fraction, `segment ${segment + 1} of ${segments}, step ${step} of ${steps}`);
  try {
    for await (const { frames, index, segments } of generate(model, { ...options, onProgress })) {
      for (const frame of frames) {
        onFrame(frame);
        await writer.writeFrame(frame);
      }
      written += frames.length;
      count = segments;
      log.write("segment", { index, segments, frames: written });
    }
    return count;
  } catch (error) {
    if (!context.signal.aborted || written === 0) await writer.abort();
    if (!context.signal.aborted) throw error;
    if (written === 0) throw new Interrupted("stopped before the first segment was done; nothing was written");
    await writer.finish();
    const seconds = (written / model.config.clip.fps).toFixed(1);
    throw new Interrupted(`stopped: the first ${seconds} s are kept in ${out}`);
  } finally {
    progress.stop();
  }
}
