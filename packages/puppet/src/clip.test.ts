import { describe, expect, test } from "vitest";
import { captionVocabulary } from "./caption.ts";
import { clip, clips, streamFrames } from "./clip.ts";
import { contactSheet } from "./contact-sheet.ts";
import { drawIdentity, splitOf } from "./identity.ts";
import { stillMask } from "./parts.ts";
import { preparePerformance } from "./performance.ts";
import { drawSentence, languages, splitOfText } from "./speech/sentences.ts";

describe("clip", () => {
  test("gives the same bytes for the same seed and others for another", () => {
    const a = clip(7, { frames: 5 });
    const b = clip(7, { frames: 5 });
    expect(b.video).toEqual(a.video);
    expect(b.keypoints).toEqual(a.keypoints);
    expect(b.audio).toEqual(a.audio);
    expect(b.reference.image).toEqual(a.reference.image);
    expect(b.caption).toBe(a.caption);
    expect(clip(8, { frames: 5, width: a.width, height: a.height }).video).not.toEqual(a.video);
  });

  test("has as much sound as picture, at any size, rate and length", () => {
    for (const [width, height, fps, frames] of [
      [64, 64, 12.5, 25],
      [48, 80, 25, 1],
      [112, 48, 30, 4],
      [64, 64, 12.5, 3],
    ] as const) {
      const made = clip(3, { width, height, fps, frames });
      expect(made.video).toHaveLength(frames * width * height * 3);
      expect(made.audio).toHaveLength(Math.round((frames / fps) * 16000));
      expect(made.mouthOpening).toHaveLength(frames);
      expect(made.mouthWindows).toHaveLength(frames);
    }
  });

  test("draws any frame on its own as in the whole", () => {
    const performance = preparePerformance(11, { frames: 750 });
    const made = clip(11, { frames: 6 });
    const size = made.width * made.height * 3;
    for (const frame of streamFrames(performance, 4, 6)) {
      expect(frame.image).toEqual(made.video.subarray(frame.index * size, (frame.index + 1) * size));
    }
  });

  test("refuses a size that is no size", () => {
    expect(() => clip(0, { width: 0 })).toThrow("width and height must be whole numbers of at least 16, got 0×0");
  });

  test("comes as an endless stream", async () => {
    const seeds: number[] = [];
    for await (const made of clips(5, { frames: 1 })) {
      seeds.push(made.seed);
      if (seeds.length === 3) break;
    }
    expect(new Set(seeds).size).toBe(3);
  });

  test("fills a contact sheet", () => {
    const sheet = contactSheet([1, 2], { width: 32, moments: 2, magnify: 2 });
    expect([sheet.width, sheet.height]).toEqual([128, 128]);
  });

  test("shows the reference's still parts in every frame", () => {
    const made = clip(21, { frames: 8, framing: "half" });
    const { width, height, video, reference } = made;
    const labels = new Uint8Array(made.labels.length + width * height);
    labels.set(made.labels);
    labels.set(reference.labels, made.labels.length);
    const still = stillMask(labels, width, height);
    let error = 0;
    let count = 0;
    for (let i = 0; i < video.length; i++) {
      const pixel = Math.floor((i % (width * height * 3)) / 3);
      if (still[pixel] === 0) continue;
      error += ((video[i] ?? 0) - (reference.image[i % reference.image.length] ?? 0)) ** 2;
      count++;
    }
    expect(count / video.length).toBeGreaterThan(0.25);
    expect(10 * Math.log10((255 * 255) / (error / count))).toBeGreaterThan(22);
  });
});

describe("splits", () => {
  test("share no identity and no sentence", () => {
    for (let seed = 0; seed < 60; seed++) {
      expect(splitOf(drawIdentity(seed, "train"))).toBe("train");
      expect(splitOf(drawIdentity(seed, "test"))).toBe("test");
      for (const language of languages) {
        expect(splitOfText(drawSentence(seed, language, "train"))).toBe("train");
        expect(splitOfText(drawSentence(seed, language, "test"))).toBe("test");
      }
    }
  });
});

describe("captions", () => {
  test("use only words of the vocabulary", () => {
    const known = new Set(captionVocabulary());
    for (let seed = 0; seed < 300; seed++) {
      const words = preparePerformance(seed, { frames: 1 }).caption.replace(/,/g, " ,").split(" ");
      expect(words.filter((word) => !known.has(word))).toEqual([]);
    }
  });
});
