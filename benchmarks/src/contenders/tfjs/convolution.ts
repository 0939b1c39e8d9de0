import { type ConvolutionInputs, type ConvolutionSpec, paddingOf } from "../../ops/convolution.ts";
import { channelsLast, permuted } from "../layouts.ts";
import type { Tf, TfTensor } from "./tfjs-api.ts";

/** A convolution in the library's own order: channels last, weights [...kernel, in, out]. */
export function tfConvolution(tf: Tf, spec: ConvolutionSpec, inputs: ConvolutionInputs): () => TfTensor {
  const { channels, out, size, kernel, causal } = spec;
  const x = tf.tensor(channelsLast(inputs.x, [1, channels, ...size]), [1, ...size, channels]);
  const taps = size.map(() => kernel);
  const axes = size.map((_, i) => i + 2);
  const weight = tf.tensor(permuted(inputs.weight, [out, channels, ...taps], [...axes, 1, 0]), [
    ...taps,
    channels,
    out,
  ]);
  const convolve = [tf.conv1d, tf.conv2d, tf.conv3d][size.length - 1] ?? tf.conv3d;
  if (!causal) return () => convolve(x, weight, 1, "same");
  // the library's pad is wrong in five axes: the batch of one is left out
  const padded = (): TfTensor => {
    const y = tf.pad(tf.reshape(x, [...size, channels]), [...paddingOf(spec), [0, 0]]);
    return tf.reshape(y, [1, ...y.shape]);
  };
  return () => convolve(padded(), weight, 1, "valid");
}
