import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MediaError, resizeImage, tile, writeImage } from "@omni/media";
import type { Image } from "@omni/media";
import { animate, plainRequest } from "./animate.ts";
import type { Animation, AnimateRequest } from "./animate.ts";
import type { Context } from "./context.ts";

const asset = (name: string): string => fileURLToPath(new URL(`../assets/${name}`, import.meta.url));

/** A drawing of a person whom the model has never seen, and two sentences it has never heard. */
export const demoFiles = { image: asset("demo.png"), audio: asset("demo.wav") } as const;

const SHEET_FRAMES = 24;
const SHEET_COLUMNS = 8;
const SHEET_ENLARGEMENT = 2;

/** What the demonstration wrote. */
export interface DemoResult extends Animation {
  readonly video: string;
  readonly sheet: string;
}

/**
 * Animates the bundled drawing with the bundled speech and lays frames of the video side by side in a picture.
 *
 * @param folder made if it is not there
 */
export async function demo(
  folder: string,
  choices: Partial<Pick<AnimateRequest, "weights" | "adapter" | "seed" | "steps" | "seconds">>,
  context: Context,
): Promise<DemoResult> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new MediaError("unwritable", folder, "the folder cannot be made here; choose another one with --out", cause);
  });
  const video = join(folder, "demo.mp4");
  const sheet = join(folder, "demo.png");
  const frames: Image[] = [];
  const made = await animate({ ...plainRequest, ...choices, ...demoFiles, out: video }, context, (frame) =>
    frames.push(frame),
  );
  await writeImage(sheet, contactSheet(frames));
  return { ...made, video, sheet };
}

/** Frames evenly spread over a video, side by side. */
function contactSheet(frames: readonly Image[]): Image {
  const shown = Math.min(SHEET_FRAMES, frames.length);
  const pictures = Array.from({ length: shown }, (_, i) => frames[Math.floor((i * frames.length) / shown)]);
  return tile(
    pictures
      .filter((picture) => picture !== undefined)
      .map((picture) => resizeImage(picture, picture.width * SHEET_ENLARGEMENT, picture.height * SHEET_ENLARGEMENT)),
    SHEET_COLUMNS,
    { gap: 4 },
  );
}
