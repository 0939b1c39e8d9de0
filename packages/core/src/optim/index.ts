export { AdamW, type AdamWOptions, type AdamWState } from "./adamw.ts";
export { clipGradNorm } from "./clip.ts";
export { Ema } from "./ema.ts";
export { warmupHoldDecay, type LrSchedule } from "./lr-schedule.ts";
