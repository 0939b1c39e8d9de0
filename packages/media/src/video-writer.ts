import { codecs } from "#codecs";
import { files } from "#files";
import type { AudioSampleSource, Output, OutputFormat, StreamTargetChunk, VideoSampleSource } from "mediabunny";
import { type AudioFeed, type AudioInput, createAudioFeed, encodedChannels, encodedSampleRate } from "./audio-feed.ts";
import type { PendingFile } from "./files.ts";
import { toI420 } from "./i420.ts";
import { type Image, checkSize } from "./image.ts";
import { MediaError, causeText } from "./media-error.ts";
import { resizeImage } from "./resize-image.ts";

/** `mp4`: H.264 with AAC, or Opus where AAC cannot be encoded. `webm`: VP9 with Opus. */
export type VideoContainer = "mp4" | "webm";

/** Where a video goes: a path that ends in .mp4 or .webm (Node), memory, or a stream that takes positioned writes. */
export type VideoDestination =
  | { readonly path: string }
  | { readonly target: "memory" | WritableStream<StreamTargetChunk>; readonly container: VideoContainer };

/** What {@link createVideoWriter} needs besides the destination. */
export interface VideoSettings {
  /** Of the frames that are given, pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames a second, fractions allowed. */
  readonly fps: number;
  /** Sound from the first frame on. What is longer than the video is cut. */
  readonly audio?: AudioInput;
  /** Whole factor of enlargement; default `auto`: the smallest that makes the short side at least 256 pixels. */
  readonly scale?: number | "auto";
  /** How frames are enlarged; default `smooth`. */
  readonly kernel?: "smooth" | "nearest";
}

/** A frame: a picture, or [height, width, 3 or 4] values from 0 to 255. Alpha is ignored. */
export type VideoFrameInput = Image | Uint8Array | Uint8ClampedArray;

/** What was written. */
export interface WrittenVideo {
  readonly frames: number;
  /** Seconds of video: frames / fps. */
  readonly duration: number;
  /** Pixels in the file: enlarged, then padded by repeating the last column or row where a side is odd. */
  readonly width: number;
  readonly height: number;
  /** `undefined` without sound. */
  readonly audioCodec: "aac" | "opus" | undefined;
  /** The file, when the target is `memory`. */
  readonly bytes: Uint8Array | undefined;
}

/** Writes a video frame by frame; memory does not depend on its length. Calls run one after another. */
export interface VideoWriter {
  /**
   * Encodes the next frame and the sound that goes with it. After an error nothing is left on disk.
   *
   * @throws MediaError `invalid` when the frame is not of the stated size, `unwritable`, or the sound's own error
   */
  writeFrame(frame: VideoFrameInput): Promise<void>;
  /**
   * Ends the video after the frames written so far, cuts the sound to that length and gives the file its name. Early
   * or not, the file is playable.
   *
   * @throws MediaError `empty` without a frame, `unwritable`
   */
  finish(): Promise<WrittenVideo>;
  /** Gives up and leaves nothing behind. Does nothing after `finish`. */
  abort(): Promise<void>;
}

/** Samples by which FFmpeg's AAC encoder delays sound; the muxer shifts timestamps to start where they were asked to. */
const aacPriming = 1024;

/** Short side that `scale: "auto"` aims at, pixels. */
const visibleSide = 256;

/**
 * Starts a video: MP4 with H.264 and AAC, or WebM with VP9 and Opus. A file is written beside its final place and
 * renamed by `finish`.
 *
 * @throws MediaError `invalid`, `unsupported` (extension), `unwritable`, `unavailable` (codec package)
 */
export async function createVideoWriter(settings: VideoSettings & VideoDestination): Promise<VideoWriter> {
  const name = "path" in settings ? settings.path : "video";
  checkSize(name, settings.width, settings.height);
  if (!(settings.fps > 0 && settings.fps <= 1000)) {
    throw new MediaError("invalid", name, `fps must lie between 0 and 1000, got ${settings.fps}`);
  }
  const container = containerOf(settings);
  await codecs.ready();
  const encoding = await encodingOf(name, container, settings);
  const destination = await destinationOf(settings);
  try {
    return await startWriter(name, container, settings, encoding, destination);
  } catch (cause) {
    await destination.discard();
    throw failed(name, cause);
  }
}

interface Encoding {
  readonly scale: number;
  readonly width: number;
  readonly height: number;
  readonly audioCodec: "aac" | "opus" | undefined;
}

async function startWriter(
  name: string,
  container: VideoContainer,
  settings: VideoSettings,
  encoding: Encoding,
  destination: Destination,
): Promise<VideoWriter> {
  const { fps, audio } = settings;
  const { width, height, audioCodec } = encoding;
  const { Mp4OutputFormat, Output, VideoSample, WebMOutputFormat } = await import("mediabunny");
  const format: OutputFormat = container === "mp4" ? new Mp4OutputFormat({ fastStart: false }) : new WebMOutputFormat();
  const output: Output = new Output({ format, target: destination.target });
  const video = await videoSource(container, encoding, fps);
  output.addVideoTrack(video, { frameRate: fps });
  let feed: AudioFeed | undefined;
  if (audio !== undefined && audioCodec !== undefined) {
    const source = await audioSource(audioCodec, encodedChannels(audio));
    output.addAudioTrack(source);
    feed = createAudioFeed(audio, source, audioCodec === "aac" ? -aacPriming : 0);
  }
  await output.start();

  let frames = 0;
  let state: "open" | "closed" = "open";
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const turn = queue.then(task);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const close = async () => {
    state = "closed";
    await feed?.end().catch(() => undefined);
    await output.cancel().catch(() => undefined);
    await destination.discard();
  };
  const guarded = async <T>(task: () => Promise<T>): Promise<T> => {
    if (state === "closed") throw new MediaError("invalid", name, "the video is already finished or given up");
    try {
      return await task();
    } catch (cause) {
      await close();
      throw failed(name, destination.error() ?? cause);
    }
  };

  return {
    writeFrame: (frame) =>
      inTurn(() =>
        guarded(async () => {
          const { data } = encodable(name, frame, settings, encoding);
          const timing = { timestamp: frames / fps, duration: 1 / fps };
          const size = { format: "I420", codedWidth: width, codedHeight: height } as const;
          const sample = new VideoSample(data, { ...size, ...timing, colorSpace: bt709Tag });
          try {
            await video.add(sample);
          } finally {
            sample.close();
          }
          frames++;
          await feed?.feedUntil(frames / fps);
        }),
      ),
    finish: () =>
      inTurn(() =>
        guarded(async () => {
          if (frames === 0) throw new MediaError("empty", name, "no frame was written; write at least one");
          await feed?.end();
          await output.finalize();
          const bytes = await destination.commit();
          state = "closed";
          return { frames, duration: frames / fps, width, height, audioCodec, bytes };
        }),
      ),
    abort: () => inTurn(async () => (state === "open" ? close() : undefined)),
  };
}

/** BT.709 throughout, as {@link toI420} writes. */
const bt709Tag = { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false } as const;

async function videoSource(container: VideoContainer, encoding: Encoding, fps: number): Promise<VideoSampleSource> {
  const { Quality, VideoSampleSource } = await import("mediabunny");
  const { width, height } = encoding;
  // Constant quality that the eye cannot tell from the frames; the bitrate is for encoders that know no quantizer.
  const bitrate = Math.max(1_000_000, Math.round(0.25 * width * height * fps));
  return new VideoSampleSource({
    codec: container === "mp4" ? "avc" : "vp9",
    quality: new Quality({ quantizer: container === "mp4" ? 18 : 20, bitrate }),
    onEncodedPacket: (_packet, meta) => {
      // The encoder does not pass the tag on, and players would guess.
      if (meta?.decoderConfig !== undefined) meta.decoderConfig.colorSpace = bt709Tag;
    },
  });
}

async function audioSource(codec: "aac" | "opus", channels: 1 | 2): Promise<AudioSampleSource> {
  const { AudioSampleSource, Quality } = await import("mediabunny");
  return new AudioSampleSource({ codec, quality: new Quality({ bitrate: 80_000 * channels }) });
}

/** Enlarges, pads to even sides and converts one frame. */
function encodable(name: string, frame: VideoFrameInput, settings: VideoSettings, encoding: Encoding) {
  const { width, height, kernel = "smooth" } = settings;
  let image = imageOf(name, frame, width, height);
  if (encoding.scale > 1) image = resizeImage(image, width * encoding.scale, height * encoding.scale, { kernel });
  image = padToSize(image, encoding.width, encoding.height);
  return toI420(image.data, image.width, image.height, 4);
}

function imageOf(name: string, frame: VideoFrameInput, width: number, height: number): Image {
  const size = `frames must be ${width}x${height}, as stated for the video`;
  if ("data" in frame) {
    if (frame.width === width && frame.height === height) return frame;
    throw new MediaError("invalid", name, `${size}, got ${frame.width}x${frame.height}`);
  }
  if (frame.length === 4 * width * height) return { width, height, data: new Uint8ClampedArray(frame) };
  if (frame.length !== 3 * width * height) {
    throw new MediaError("invalid", name, `${size}, with 3 or 4 values a pixel, got ${frame.length} values`);
  }
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) data[4 * pixel + c] = frame[3 * pixel + c] ?? 0;
  }
  return { width, height, data };
}

/** Repeats the last column and row: a black line would bleed into the picture. */
function padToSize(image: Image, width: number, height: number): Image {
  if (image.width === width && image.height === height) return image;
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 4 * Math.min(y, image.height - 1) * image.width;
    const row = image.data.subarray(from, from + 4 * image.width);
    data.set(row, 4 * y * width);
    if (image.width < width) data.set(row.subarray(-4), 4 * (y * width + image.width));
  }
  return { width, height, data };
}

async function encodingOf(name: string, container: VideoContainer, settings: VideoSettings): Promise<Encoding> {
  const { canEncodeAudio, canEncodeVideo } = await import("mediabunny");
  const { scale: wish = "auto" } = settings;
  const scale = wish === "auto" ? Math.ceil(visibleSide / Math.min(settings.width, settings.height)) : wish;
  if (!Number.isInteger(scale) || scale < 1) {
    throw new MediaError("invalid", name, `scale must be a positive whole number or "auto", got ${scale}`);
  }
  const width = 2 * Math.ceil((settings.width * scale) / 2);
  const height = 2 * Math.ceil((settings.height * scale) / 2);
  const videoCodec = container === "mp4" ? "avc" : "vp9";
  if (!(await canEncodeVideo(videoCodec, { width, height }))) {
    const other = container === "mp4" ? ".webm" : ".mp4";
    throw new MediaError(
      "unavailable",
      name,
      `${videoCodec} of ${width}x${height} cannot be encoded here; try ${other}`,
    );
  }
  if (settings.audio === undefined) return { scale, width, height, audioCodec: undefined };
  const config = { numberOfChannels: encodedChannels(settings.audio), sampleRate: encodedSampleRate };
  for (const codec of container === "mp4" ? codecs.mp4AudioCodecs : (["opus"] as const)) {
    if (await canEncodeAudio(codec, config)) return { scale, width, height, audioCodec: codec };
  }
  throw new MediaError("unavailable", name, "sound cannot be encoded here; leave the audio out or update the browser");
}

function containerOf(destination: VideoDestination): VideoContainer {
  if (!("path" in destination)) return destination.container;
  const extension = /\.[^./\\]+$/.exec(destination.path)?.[0].toLowerCase() ?? "";
  if (extension === ".mp4" || extension === ".m4v") return "mp4";
  if (extension === ".webm") return "webm";
  const advice = `the name must end in .mp4 or .webm, got "${extension}"; choose another name`;
  throw new MediaError("unsupported", destination.path, advice);
}

interface Destination {
  readonly target: PendingFile["target"];
  commit(): Promise<Uint8Array | undefined>;
  discard(): Promise<void>;
  /** The first failure of the file itself: the muxer may report another one that followed from it. */
  error(): unknown;
}

async function destinationOf(destination: VideoDestination): Promise<Destination> {
  const { BufferTarget, StreamTarget } = await import("mediabunny");
  const nothing = () => Promise.resolve(undefined);
  if ("path" in destination) {
    const file = await files.create(destination.path);
    const commit = async () => {
      await file.commit();
      return undefined;
    };
    return { target: file.target, commit, discard: () => file.discard(), error: () => file.error() };
  }
  if (destination.target === "memory") {
    const target = new BufferTarget();
    const commit = () => Promise.resolve(target.buffer === null ? undefined : new Uint8Array(target.buffer));
    return { target, commit, discard: nothing, error: () => undefined };
  }
  return { target: new StreamTarget(destination.target), commit: nothing, discard: nothing, error: () => undefined };
}

function failed(name: string, cause: unknown): MediaError {
  if (cause instanceof MediaError) return cause;
  return new MediaError(
    "unwritable",
    name,
    `the video cannot be written (${causeText(cause)}); try another output`,
    cause,
  );
}
