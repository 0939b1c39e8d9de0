export { CheckpointError, DeviceError, DTypeError, OmniError, ShapeError, StaleTensorError } from "./base/errors.ts";
export type { DType, TypedArray } from "./base/dtype.ts";
export type { Shape } from "./base/shape.ts";
export {
  arange,
  concat,
  full,
  ones,
  realize,
  stack,
  Tensor,
  tensor,
  where,
  zeros,
  type ReduceOptions,
} from "./tensor/tensor.ts";
export { Rng } from "./tensor/random.ts";
export { grad, valueAndGrad } from "./autograd/grad.ts";
export { linear } from "./ops/linear.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { groupNorm, layerNorm, rmsNorm } from "./ops/norm.ts";
export { embedding } from "./ops/embedding.ts";
export { crossEntropy, mseLoss } from "./ops/losses.ts";
export { interpolateLinear, sampleLinear } from "./ops/interpolate.ts";
export { closeDevice, getDevice, type AdapterChoice, type Device, type DeviceOptions } from "./runtime/index.ts";
export { attention, type AttentionOptions } from "./ops/attention.ts";
export { conv1d, conv2d, conv3d, type ConvOptions } from "./ops/conv.ts";
export { profile } from "./schedule/realize.ts";
export type { Span } from "./runtime/profiler.ts";
