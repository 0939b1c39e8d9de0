import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { toAvFrame } from "@mediabunny/server";
import type { Codecs } from "./codecs.ts";
import { MediaError, causeText } from "./media-error.ts";

let registration: Promise<void> | undefined;

/** FFmpeg's codecs through the optional package `@mediabunny/server`. */
export const codecs: Codecs = {
  ready: () => (registration ??= register()),

  /**
   * Backed by a frame of FFmpeg's own: given any other sample, the audio encoder of @mediabunny/server 1.59 allocates
   * one for each and never frees it (384 kB a second).
   */
  async audioSample(init) {
    const { AudioSample } = await import("mediabunny");
    const sample = new AudioSample(init);
    const nodeAv = await importNodeAv();
    if (nodeAv === undefined) return sample;
    const { AvFrameAudioSampleResource, toAvFrame } = await import("@mediabunny/server");
    const frame = new nodeAv.Frame();
    frame.alloc();
    await toAvFrame(sample, frame);
    sample.close();
    return new AudioSample(new AvFrameAudioSampleResource(frame));
  },

  mp4AudioCodecs: ["aac", "opus"],
};

async function register(): Promise<void> {
  const { Logging, LogLevel } = await import("mediabunny");
  Logging.level = LogLevel.Errors;
  const server = await import("@mediabunny/server").catch((cause: unknown) => {
    registration = undefined;
    throw new MediaError(
      "unavailable",
      "@mediabunny/server",
      `this optional package cannot be loaded (${causeText(cause)}); install it with: npm install @mediabunny/server`,
      cause,
    );
  });
  // Software coders only: the same file on every machine, and no probing of devices that prints to the terminal.
  server.registerMediabunnyServer({ hardwareContext: null });
  const nodeAv = await importNodeAv();
  // FFmpeg complains on stderr about damaged files, which we report ourselves.
  nodeAv?.Log.setLevel(nodeAv.AV_LOG_QUIET);
}

/** The part of `node-av` that is used here. */
interface NodeAv {
  readonly Frame: new () => Parameters<typeof toAvFrame>[1];
  readonly Log: { setLevel(level: number): void };
  readonly AV_LOG_QUIET: number;
}

let nodeAvModule: Promise<NodeAv | undefined> | undefined;

/** The very copy that @mediabunny/server uses: it is not a dependency of ours. */
function importNodeAv(): Promise<NodeAv | undefined> {
  return (nodeAvModule ??= (async () => {
    try {
      const fromServer = createRequire(createRequire(import.meta.url).resolve("@mediabunny/server"));
      const module: unknown = await import(pathToFileURL(fromServer.resolve("node-av")).href);
      return isNodeAv(module) ? module : undefined;
    } catch {
      return undefined;
    }
  })());
}

function isNodeAv(module: unknown): module is NodeAv {
  const names = ["Frame", "Log", "AV_LOG_QUIET"];
  return typeof module === "object" && module !== null && names.every((name) => name in module);
}
