import type { AudioConfig } from "./config.ts";
import { stepCount } from "./waveform.ts";

/** Floating-point operations of encoding `samples` samples: convolutions and matrix products, a multiply-add counted as two. */
export function flops(config: AudioConfig, samples: number): number {
  const { convDim, convKernel, convStride, hiddenSize, ffnDim, layers, positionKernel, positionGroups } = config;
  let length = samples;
  let total = 0;
  convDim.forEach((channels, i) => {
    const kernel = convKernel[i] ?? 1;
    length = Math.floor((length - kernel) / (convStride[i] ?? 1)) + 1;
    total += 2 * length * channels * (i === 0 ? 1 : (convDim[i - 1] ?? 1)) * kernel;
  });
  const steps = stepCount(config, samples);
  const position = (2 * steps * hiddenSize * hiddenSize * positionKernel) / positionGroups;
  const layer = steps * (2 * 4 * hiddenSize ** 2 + 2 * 2 * hiddenSize * ffnDim) + 4 * steps ** 2 * hiddenSize;
  return total + 2 * steps * (convDim.at(-1) ?? 0) * hiddenSize + position + layers * layer;
}
