import { presets } from "./config.ts";
import type { AudioConfig } from "./config.ts";

/** The smallest encoder with every part. For tests. */
export const tinyConfig = {
  ...presets.nano,
  convDim: [8, 8, 8, 8, 8, 8, 8],
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  ffnDim: 32,
  positionKernel: 5,
  positionGroups: 2,
  attentionReach: 6,
} as const satisfies AudioConfig;

/** A voice-like test signal: a 150 Hz buzz whose loudness rises and falls four times a second. */
export function buzz(samples: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: samples }, (_, i) => {
    const t = i / 16_000;
    const carrier = Math.sin(2 * Math.PI * 150 * t) + 0.5 * Math.sin(2 * Math.PI * 450 * t);
    return 0.2 * carrier * (1 + Math.sin(2 * Math.PI * 4 * t)) + 0.01 * Math.sin(i * i);
  });
}
