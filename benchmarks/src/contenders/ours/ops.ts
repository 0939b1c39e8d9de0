import {
  attention,
  conv1d,
  conv2d,
  conv3d,
  type Device,
  grad,
  groupNorm,
  layerNorm,
  rmsNorm,
  softmax,
} from "@omni/core";
import { paddingOf } from "../../ops/convolution.ts";
import { NORM_EPS } from "../../ops/rows.ts";
import type { Builders } from "../contender.ts";
import { computing, joined, onDevice } from "./tensor-work.ts";

const convolutions = [conv1d, conv2d, conv3d];

/** Single ops through the public API. */
export const opBuilders = (device: Device): Builders => ({
  matmul: async ({ batch, m, k, n }, inputs) => {
    const lead = batch === 1 ? [] : [batch];
    const a = await onDevice(inputs.a, [...lead, m, k]);
    const b = await onDevice(inputs.b, [...lead, k, n]);
    return computing(device, () => [a.matmul(b)]);
  },
  softmax: async ({ rows, columns }, inputs) => {
    const x = await onDevice(inputs.x, [rows, columns]);
    return computing(device, () => [softmax(x)]);
  },
  layerNorm: async ({ rows, columns }, inputs) => {
    const x = await onDevice(inputs.x, [rows, columns]);
    const weight = await onDevice(inputs.weight, [columns]);
    const bias = await onDevice(inputs.bias, [columns]);
    return computing(device, () => [layerNorm(x, weight, bias, { eps: NORM_EPS })]);
  },
  rmsNorm: async ({ rows, columns }, inputs) => {
    const x = await onDevice(inputs.x, [rows, columns]);
    const weight = await onDevice(inputs.weight, [columns]);
    return computing(device, () => [rmsNorm(x, weight, { eps: NORM_EPS })]);
  },
  groupNorm: async ({ batch, channels, height, width, groups }, inputs) => {
    const x = await onDevice(inputs.x, [batch, channels, height, width]);
    const weight = await onDevice(inputs.weight, [channels]);
    const bias = await onDevice(inputs.bias, [channels]);
    return computing(device, () => [groupNorm(x, groups, weight, bias, { eps: NORM_EPS })]);
  },
  attention: async ({ heads, tokens, headDim }, inputs) => {
    const shape = [1, heads, tokens, headDim];
    const [q, k, v] = [
      await onDevice(inputs.q, shape),
      await onDevice(inputs.k, shape),
      await onDevice(inputs.v, shape),
    ];
    return computing(device, () => [attention(q, k, v)]);
  },
  attentionBackward: async ({ heads, tokens, headDim }, inputs) => {
    const shape = [1, heads, tokens, headDim];
    const [q, k, v, gradient] = [
      await onDevice(inputs.q, shape),
      await onDevice(inputs.k, shape),
      await onDevice(inputs.v, shape),
      await onDevice(inputs.gradient, shape),
    ];
    return computing(device, () => grad(attention(q, k, v).mul(gradient).sum(), [q, k, v]));
  },
  convolution: async (spec, inputs) => {
    const { channels, out, size, kernel } = spec;
    const x = await onDevice(inputs.x, [1, channels, ...size]);
    const weight = await onDevice(inputs.weight, [out, channels, ...size.map(() => kernel)]);
    const convolve = convolutions[size.length - 1] ?? conv3d;
    const padding = paddingOf(spec);
    return computing(device, () => [convolve(x, weight, null, { padding })]);
  },
  addGelu: async ({ length }, inputs) => {
    const a = await onDevice(inputs.a, [length]);
    const b = await onDevice(inputs.b, [length]);
    return computing(device, () => [a.add(b).gelu()]);
  },
  sum: async ({ length }, inputs) => {
    const x = await onDevice(inputs.x, [length]);
    return computing(device, () => [x.sum()]);
  },
  recording: async ({ chains, length }, inputs) => {
    const x = await onDevice(inputs.x, [inputs.x.length]);
    let last = x;
    const record = (): void => {
      for (let chain = 0; chain < chains; chain++) {
        last = x;
        for (let i = 0; i < length; i++) last = last.add(1);
      }
    };
    return { start: record, finish: () => Promise.resolve(), answer: () => joined([last]) };
  },
});
