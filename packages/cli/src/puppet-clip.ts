import { createVideoWriter, writeImage } from "@omni/media";
import { contactSheet, openSynthesizer, preparePerformance, sampleRate, streamFrames } from "@omni/puppet";
import type { PerformanceOptions } from "@omni/puppet";

/** Puppets on a sheet: `moments` frames of each. */
export interface SheetOptions extends PerformanceOptions {
  readonly moments: number;
}

/** Writes a contact sheet of puppets. */
export async function writePuppetSheet(path: string, seeds: readonly number[], options: SheetOptions): Promise<void> {
  const { width, height, data } = contactSheet(seeds, options);
  await writeImage(path, { width, height, data });
}

/** Writes one puppet's performance as a video with its speech. Returns what it says. */
export async function writePuppetClip(path: string, seed: number, options: PerformanceOptions): Promise<string> {
  const performance = preparePerformance(seed, { ...options, synthesizer: await openSynthesizer() });
  const { width, height } = performance.view;
  const audio = { channels: [performance.audio], sampleRate };
  const writer = await createVideoWriter({ path, width, height, fps: performance.fps, audio });
  for (const { image } of streamFrames(performance)) await writer.writeFrame(image);
  await writer.finish();
  return `${performance.caption}; says: ${performance.text}`;
}
