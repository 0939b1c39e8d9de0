export {
  CheckpointError,
  DeviceError,
  type DeviceErrorKind,
  DTypeError,
  OmniError,
  ShapeError,
  StaleTensorError,
} from "./base/errors.ts";
export type { DType, PackedDType, TypedArray } from "./base/dtype.ts";
export type { Shape } from "./base/shape.ts";
export { arange, ones, tensor, zeros } from "./tensor/create.ts";
export { concat, stack } from "./tensor/join.ts";
export { full, realize, Tensor, where, type Operand, type ReduceOptions } from "./tensor/tensor.ts";
export type { Nested } from "./tensor/nested.ts";
export { Rng } from "./tensor/random.ts";
export { describeGraph, graphSvg } from "./tensor/inspect.ts";
export { grad, type ValueAndGrad, valueAndGrad } from "./autograd/grad.ts";
export { recompute } from "./autograd/recompute.ts";
export { defineOp, type OpAttrs, type OpDefinition, type OpInfo } from "./ops/define-op.ts";
export type { DeviceTraits } from "./kernels/kernel.ts";
export { type KernelBinding, wgslProgram, type WgslProgram } from "./ops/wgsl-program.ts";
export { linear } from "./ops/linear.ts";
export { dequantizeInt8, int8Linear, type Int8Matrix, quantizeInt8 } from "./ops/int8.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export {
  batchNorm,
  batchStatistics,
  type BatchStatistics,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  rmsNorm,
} from "./ops/norm.ts";
export {
  elu,
  glu,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  nanToNum,
  quickGelu,
  relu6,
  softplus,
} from "./ops/activations.ts";
export {
  celu,
  hardshrink,
  hardsigmoid,
  hardswish,
  prelu,
  selu,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "./ops/rectifiers.ts";
export {
  acosh,
  allClose,
  asinh,
  atanh,
  type ClosenessOptions,
  copySign,
  cosh,
  erfc,
  frac,
  heaviside,
  hypot,
  isClose,
  lerp,
  logAddExp,
  logit,
  sinc,
  sinh,
  xlogy,
} from "./ops/special.ts";
export { embedding } from "./ops/embedding.ts";
export {
  bceWithLogits,
  cdist,
  type ClassLossOptions,
  cosineSimilarity,
  crossEntropy,
  huberLoss,
  klDivergence,
  l1Loss,
  type LossOptions,
  mseLoss,
  nllLoss,
  pairwiseDistance,
  type Reduction,
  smoothL1Loss,
} from "./ops/losses.ts";
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  type MarginOptions,
  marginRankingLoss,
  softMarginLoss,
  tripletMarginLoss,
} from "./ops/margin-losses.ts";
export { bceLoss, gaussianNllLoss, poissonNllLoss } from "./ops/likelihood-losses.ts";
export { ctcLoss, type CtcOptions } from "./ops/ctc-loss.ts";
export { interpolateLinear, sampleLinear } from "./ops/interpolate.ts";
export {
  gridSample,
  type GridSampleOptions,
  interpolate,
  type ResampleMode,
  type ResampleOptions,
} from "./ops/resample.ts";
export {
  adaptiveAveragePool,
  averagePool1d,
  averagePool2d,
  averagePool3d,
  type AveragePoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type PoolOptions,
} from "./ops/pool.ts";
export { fold, type Pair, pixelShuffle, pixelUnshuffle, unfold, type UnfoldOptions } from "./ops/unfold.ts";
export { einsum } from "./ops/einsum.ts";
export { type Complex, fft, hannWindow, ifft, rfft, stft, type StftOptions } from "./ops/fft.ts";
export { cumprod, cumsum, linearScan, prod } from "./ops/cumulative.ts";
export { cummax, cummin, logCumSumExp } from "./ops/running.ts";
export {
  diagonal,
  gather,
  indexAdd,
  indexSelect,
  maskedFill,
  oneHot,
  scatter,
  scatterAdd,
  trace,
  tril,
  triu,
} from "./ops/indexing.ts";
export { index, indexPut, type Indices } from "./ops/advanced-indexing.ts";
export { maskedScatter, maskedSelect, nonzero } from "./ops/boolean-mask.ts";
export { bucketize, searchSorted } from "./ops/search.ts";
export { median, medianWithIndices, mode, quantile, type QuantileOptions } from "./ops/order-statistics.ts";
export { type Unique, type UniqueOptions, unique, uniqueConsecutive } from "./ops/unique.ts";
export { bincount, histc } from "./ops/histogram.ts";
export { det, inverse, type SignedLogDet, slogdet, solve } from "./ops/solve.ts";
export { cholesky, solveTriangular } from "./ops/triangular.ts";
export { cross, diagEmbed, dot, kron, outer } from "./ops/products.ts";
export {
  diff,
  eye,
  flatten,
  linspace,
  meshgrid,
  moveAxis,
  type PadMode,
  padWith,
  range,
  roll,
  rot90,
  tile,
  unbind,
  unflatten,
} from "./ops/movement.ts";
export { argsort, type Ranked, sort, type SortOptions, topk } from "./ops/sort.ts";
export {
  all,
  any,
  argmax,
  argmin,
  type AxisOptions,
  countNonzero,
  logSumExp,
  maxWithIndices,
  minWithIndices,
  norm,
  normalize,
  std,
} from "./ops/reductions.ts";
export { closeDevice, getDevice, type AdapterChoice, type Device, type DeviceOptions } from "./runtime/index.ts";
export type { TuneMode } from "./runtime/kernel-choices.ts";
export { attention, type AttentionOptions } from "./ops/attention.ts";
export type { PerAxis } from "./ops/conv-axes.ts";
export { conv1d, conv2d, conv3d, type ConvOptions } from "./ops/conv.ts";
export { convTranspose1d, convTranspose2d, convTranspose3d, type ConvTransposeOptions } from "./ops/conv-transpose.ts";
export { autotune, planOf, profile, warmUp } from "./schedule/realize.ts";
export type { AutotuneOptions, TunedKernel } from "./schedule/tune.ts";
export type { PlanBytes, PlanReport } from "./schedule/plan-report.ts";
export { isEager, setEager } from "./schedule/eager.ts";
export { desktopTraits, estimate, type Estimate, type Refusal } from "./schedule/estimate.ts";
export { metaTensor, toMeta } from "./tensor/meta.ts";
export { memory, type MemoryReport, type TensorTree } from "./tensor/memory.ts";
export { Profile, type Span } from "./runtime/profile.ts";
export type { Timing } from "./runtime/profiler.ts";
