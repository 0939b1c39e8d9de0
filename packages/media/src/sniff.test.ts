import { describe, expect, test } from "vitest";
import { sniff, withArticle } from "./sniff.ts";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe("sniff", () => {
  test.each([
    ["\x89PNG\r\n\x1a\n", "picture", "PNG"],
    ["\xff\xd8\xff\xe0", "picture", "JPEG"],
    ["RIFF1234WEBP", "picture", "WebP"],
    ["RIFF1234WAVE", "sound", "WAV"],
    ["\0\0\0\x1cftypavif", "picture", "AVIF"],
    ["\0\0\0\x1cftypheic", "picture", "HEIC"],
    ["\0\0\0\x1cftypM4A ", "sound", "M4A"],
    ["\0\0\0\x1cftypisom", "video", "MP4"],
    ["\xff\xfb\x90\x00", "sound", "MP3"],
    ["ID3\x04\0", "sound", "MP3"],
    ["BM\x46\0\0\0\0\0\0\0", "picture", "BMP"],
    ["BMW is a car maker", "text", "text file"],
    ["hello\nworld", "text", "text file"],
    ["caf\xc3\xa9", "text", "text file"],
    ['<?xml version="1.0"?><svg>', "picture", "SVG"],
    ["\x01\x02\x03", "unknown", "unknown file"],
  ])("%j is %s %s", (head, kind, name) => {
    expect(sniff(bytes(head))).toEqual({ kind, name });
  });

  test("names take their article", () => {
    expect(["MP3", "PNG", "WAV", "unknown file"].map(withArticle)).toEqual([
      "an MP3",
      "a PNG",
      "a WAV",
      "an unknown file",
    ]);
  });
});
