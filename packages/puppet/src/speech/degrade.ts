import type { Random } from "../random.ts";

/** Multiply by a gain in decibels, in place. */
export function applyGain(samples: Float32Array, decibels: number): void {
  const factor = 10 ** (decibels / 20);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.max(-1, Math.min(1, (samples[i] ?? 0) * factor));
}

export type NoiseColour = "white" | "pink" | "hum";

/**
 * Add noise at a signal-to-noise ratio, in place. The signal's power is taken over its non-silent part; where all is
 * silent, a speech level of −20 dB is assumed.
 *
 * @param ratio decibels
 */
export function addNoise(samples: Float32Array, random: Random, colour: NoiseColour, ratio: number): void {
  let power = 0;
  let count = 0;
  for (const value of samples) {
    if (Math.abs(value) < 0.01) continue;
    power += value * value;
    count++;
  }
  const level = Math.sqrt(count > 0 ? power / count : 0.01) * 10 ** (-ratio / 20);
  const phase = random.range(0, 6.28);
  const pitch = random.pick([50, 60, 100, 120]);
  let slow = 0;
  let slower = 0;
  for (let i = 0; i < samples.length; i++) {
    const white = (random.unit() - 0.5) * Math.sqrt(12);
    let noise = white;
    if (colour === "pink") {
      slow += 0.12 * (white - slow);
      slower += 0.01 * (white - slower);
      noise = 0.35 * white + 2.2 * slow + 6 * slower;
    } else if (colour === "hum") {
      const t = (2 * Math.PI * pitch * i) / 16000 + phase;
      noise = 1.1 * Math.sin(t) + 0.6 * Math.sin(3 * t) + 0.2 * white;
    }
    samples[i] = Math.max(-1, Math.min(1, (samples[i] ?? 0) + noise * level));
  }
}
