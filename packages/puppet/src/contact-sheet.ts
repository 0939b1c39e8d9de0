import { preparePerformance } from "./performance.ts";
import type { PerformanceOptions } from "./performance.ts";
import { streamFrames } from "./clip.ts";

/** RGBA bytes, row-major. */
export interface SheetImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export interface SheetOptions extends PerformanceOptions {
  /** Pictures in a row. */
  readonly columns?: number;
  /** Frames shown of each seed, evenly spread over its clip. Default 1. */
  readonly moments?: number;
  /** Enlarge every pixel this many times. Default 1. */
  readonly magnify?: number;
}

/** Frames of many clips side by side, all at one size. */
export function contactSheet(seeds: readonly number[], options: SheetOptions = {}): SheetImage {
  const moments = options.moments ?? 1;
  const magnify = options.magnify ?? 1;
  const size = { width: options.width ?? 64, height: options.height ?? options.width ?? 64 };
  const columns = options.columns ?? (moments > 1 ? moments : Math.ceil(Math.sqrt(seeds.length)));
  const rows = Math.ceil((seeds.length * moments) / columns);
  const width = columns * size.width * magnify;
  const height = rows * size.height * magnify;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  let cell = 0;
  for (const seed of seeds) {
    const performance = preparePerformance(seed, { ...options, ...size });
    for (let m = 0; m < moments; m++) {
      const index = Math.floor(((m + 0.5) * performance.frames) / moments);
      for (const { image } of streamFrames(performance, index, index + 1)) {
        const left = (cell % columns) * size.width * magnify;
        const top = Math.floor(cell / columns) * size.height * magnify;
        for (let y = 0; y < size.height * magnify; y++) {
          for (let x = 0; x < size.width * magnify; x++) {
            const from = 3 * (Math.floor(y / magnify) * size.width + Math.floor(x / magnify));
            data.set(image.subarray(from, from + 3), 4 * ((top + y) * width + left + x));
          }
        }
      }
      cell++;
    }
  }
  return { width, height, data };
}
