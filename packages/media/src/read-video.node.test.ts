import { codecs } from "#codecs";
import { describe, expect, test } from "vitest";
import { readVideo } from "./read-video.ts";

/** A VP9 WebM whose left half is red and right half blue, made with mediabunny alone. */
async function redAndBlue(width: number, height: number, frames: number, fps: number): Promise<Uint8Array> {
  await codecs.ready();
  const { BufferTarget, Output, Quality, VideoSample, VideoSampleSource, WebMOutputFormat } =
    await import("mediabunny");
  const target = new BufferTarget();
  const output = new Output({ format: new WebMOutputFormat(), target });
  const source = new VideoSampleSource({ codec: "vp9", quality: new Quality({ quantizer: 10 }) });
  output.addVideoTrack(source, { frameRate: fps });
  await output.start();
  const data = new Uint8Array(4 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.set(pixel % width < width / 2 ? [200, 30, 30, 255] : [30, 30, 200, 255], 4 * pixel);
  }
  for (let frame = 0; frame < frames; frame++) {
    const size = { format: "RGBA", codedWidth: width, codedHeight: height } as const;
    const sample = new VideoSample(data, { ...size, timestamp: frame / fps, duration: 1 / fps });
    await source.add(sample);
    sample.close();
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer());
}

describe("readVideo", () => {
  test.each([
    [64, 48],
    [65, 49],
  ])("decodes %ix%i with its colours in place", async (width, height) => {
    const video = await readVideo(await redAndBlue(width, height, 3, 10));
    expect(video).toMatchObject({ width, height, fps: 10 });
    expect(video.duration).toBeCloseTo(0.3, 3);
    const times: number[] = [];
    for await (const { time, image } of video.frames()) {
      times.push(time);
      expect(image).toMatchObject({ width, height });
      for (const y of [0, height - 1]) {
        for (const [x, red, blue] of [
          [3, 200, 30],
          [width - 1, 30, 200],
        ] as const) {
          const at = 4 * (y * width + x);
          expect(Math.abs((image.data[at] ?? 0) - red)).toBeLessThan(12);
          expect(Math.abs((image.data[at + 2] ?? 0) - blue)).toBeLessThan(12);
        }
      }
    }
    await video.close();
    expect(times).toEqual([0, 0.1, 0.2]);
  });
});
