import type { Codecs } from "./codecs.ts";

/**
 * WebCodecs. Opus before AAC: Chromium on Linux has no AAC encoder, and the priming of the other systems' AAC encoders
 * differs and is not signalled, which would shift the sound.
 */
export const codecs: Codecs = {
  ready: () => Promise.resolve(),
  async audioSample(init) {
    const { AudioSample } = await import("mediabunny");
    return new AudioSample(init);
  },
  mp4AudioCodecs: ["opus", "aac"],
};
