import { codecs } from "#codecs";
import type { InputVideoTrack, VideoSample } from "mediabunny";
import { guardDecoder } from "./decoder-guard.ts";
import { type YuvSpace, bt601, bt709, fromI420, i420Size } from "./i420.ts";
import type { Image } from "./image.ts";
import { MediaError } from "./media-error.ts";
import { damaged, openInput, withoutTrack } from "./open-input.ts";
import type { MediaSource } from "./source.ts";

/** A decoded frame. */
export interface TimedImage {
  /** Seconds from the start. */
  readonly time: number;
  readonly image: Image;
}

/** A video, decoded while it is read. */
export interface VideoReader {
  readonly width: number;
  readonly height: number;
  /** Mean frames a second. */
  readonly fps: number;
  /** Seconds. */
  readonly duration: number;
  /**
   * Decodes from the start, in order of time. May be called again.
   *
   * @throws MediaError `corrupt`
   */
  frames(): AsyncGenerator<TimedImage, void, undefined>;
  close(): Promise<void>;
}

const formats = "an MP4, MOV, WebM or MPEG-TS file";

/**
 * Opens the video of a file.
 *
 * @param source path (in a browser URL), Blob or bytes
 * @throws MediaError `missing`, `empty`, `unsupported`, `corrupt`, `unavailable`
 */
export async function readVideo(source: MediaSource): Promise<VideoReader> {
  const { input, reader, close } = await openInput(source, "a video", formats);
  const name = reader.name;
  try {
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw await withoutTrack(input, name, `it has no picture, only sound; give ${formats}`);
    await codecs.ready();
    if (!(await track.canDecode())) {
      const codec = (await track.getCodec()) ?? "unknown codec";
      throw new MediaError("unsupported", name, `its video (${codec}) cannot be decoded; convert it to H.264`);
    }
    const { averagePacketRate } = await track.computePacketStats(100);
    // Timestamps are sums of binary fractions.
    const fps = Math.round(1e6 * averagePacketRate) / 1e6;
    const duration = await track.computeDuration();
    const width = await track.getDisplayWidth();
    const height = await track.getDisplayHeight();
    return { width, height, fps, duration, frames: () => decode(track, name), close };
  } catch (error) {
    await close();
    throw damaged(name, error);
  }
}

async function* decode(track: InputVideoTrack, name: string): AsyncGenerator<TimedImage, void, undefined> {
  const { VideoSampleSink } = await import("mediabunny");
  const sink = new VideoSampleSink(track);
  guardDecoder(sink);
  let count = 0;
  try {
    for await (const sample of sink.samples()) {
      count++;
      try {
        yield { time: sample.timestamp, image: await imageOf(sample) };
      } finally {
        sample.close();
      }
    }
  } catch (error) {
    throw damaged(name, error);
  }
  if (count === 0) throw new MediaError("corrupt", name, "the file is cut short (no frame); save or copy it again");
}

/** Upright RGBA. Plain 4:2:0 is converted by our own code, so that Node and browsers agree. */
async function imageOf(sample: VideoSample): Promise<Image> {
  const { width, height } = sample.visibleRect;
  const isPlain = sample.rotation === 0 && !sample.flip && sample.format === "I420";
  if (isPlain && sample.displayWidth === width && sample.displayHeight === height) {
    const bytes = new Uint8Array(sample.allocationSize());
    const data = packI420(bytes, await sample.copyTo(bytes), width, height);
    return fromI420({ width, height, data }, yuvSpace(sample));
  }
  const upright = await sample.transform({ width: sample.displayWidth, height: sample.displayHeight, fit: "fill" });
  try {
    const rgba = new Uint8ClampedArray(4 * sample.displayWidth * sample.displayHeight);
    await upright.copyTo(rgba, { format: "RGBA" });
    return { width: sample.displayWidth, height: sample.displayHeight, data: rgba };
  } finally {
    upright.close();
  }
}

function yuvSpace(sample: VideoSample): YuvSpace {
  const { matrix, fullRange } = sample.colorSpace;
  const untagged = sample.visibleRect.height > 576 ? bt709 : bt601;
  const space = matrix === "bt709" ? bt709 : matrix === "smpte170m" || matrix === "bt470bg" ? bt601 : untagged;
  return { ...space, fullRange: fullRange === true };
}

/** Planes without gaps. mediabunny 1.61 leaves out the last chroma column of an odd width: it is repeated here. */
function packI420(bytes: Uint8Array, planes: readonly PlaneLayout[], width: number, height: number): Uint8Array {
  const packed = new Uint8Array(i420Size(width, height));
  let at = 0;
  for (const [index, { offset, stride }] of planes.entries()) {
    const columns = index === 0 ? width : Math.ceil(width / 2);
    const rows = index === 0 ? height : Math.ceil(height / 2);
    for (let row = 0; row < rows; row++, at += columns) {
      const from = offset + row * stride;
      const line = bytes.subarray(from, from + Math.min(stride, columns));
      packed.set(line, at);
      if (line.length < columns) packed.fill(line.at(-1) ?? 128, at + line.length, at + columns);
    }
  }
  return packed;
}
