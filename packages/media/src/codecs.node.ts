import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { Codecs } from "./codecs.ts";
import { MediaError, causeText } from "./media-error.ts";

let registration: Promise<void> | undefined;

/** FFmpeg's codecs through the optional package `@mediabunny/server`. */
export const codecs: Codecs = {
  ready: () => (registration ??= register()),
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
  await silenceFfmpeg();
}

/** FFmpeg complains on stderr about damaged files, which we report ourselves. node-av is not our own dependency. */
async function silenceFfmpeg(): Promise<void> {
  try {
    const fromServer = createRequire(createRequire(import.meta.url).resolve("@mediabunny/server"));
    const nodeAv: unknown = await import(pathToFileURL(fromServer.resolve("node-av")).href);
    if (!isNodeAv(nodeAv)) return;
    nodeAv.Log.setLevel(nodeAv.AV_LOG_QUIET);
  } catch {
    // Noise is all that is at stake.
  }
}

interface NodeAv {
  readonly Log: { setLevel(level: number): void };
  readonly AV_LOG_QUIET: number;
}

function isNodeAv(module: unknown): module is NodeAv {
  return typeof module === "object" && module !== null && "Log" in module && "AV_LOG_QUIET" in module;
}
