import {
  adaptiveAveragePool,
  all,
  any,
  argmax,
  argmin,
  attention,
  averagePool1d,
  averagePool2d,
  averagePool3d,
  batchNorm,
  bceWithLogits,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  cosineSimilarity,
  countNonzero,
  crossEntropy,
  cumprod,
  cumsum,
  diagonal,
  einsum,
  elu,
  embedding,
  eye,
  flatten,
  fold,
  full,
  gather,
  glu,
  gridSample,
  groupNorm,
  hardtanh,
  huberLoss,
  indexAdd,
  indexSelect,
  instanceNorm,
  interpolate,
  klDivergence,
  l1Loss,
  layerNorm,
  leakyRelu,
  linear,
  linspace,
  logSigmoid,
  logSoftmax,
  logSumExp,
  maskedFill,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  maxWithIndices,
  meshgrid,
  minWithIndices,
  mish,
  moveAxis,
  mseLoss,
  nanToNum,
  nllLoss,
  norm,
  normalize,
  oneHot,
  pairwiseDistance,
  pixelShuffle,
  pixelUnshuffle,
  prod,
  quickGelu,
  range,
  relu6,
  rmsNorm,
  roll,
  scatter,
  scatterAdd,
  smoothL1Loss,
  softmax,
  softplus,
  sort,
  stack,
  std,
  tile,
  topk,
  tril,
  triu,
  unbind,
  unflatten,
  unfold,
  where,
  type AxisOptions,
  type BatchStatistics,
  type DType,
  type Ranked,
  type Reduction,
  type ResampleMode,
  type Tensor,
  type UnfoldOptions,
} from "@omni/core";
import type { TorchArgs } from "../torch-args.ts";
import { pythonSlices, torchExpand, torchPad } from "../torch-views.ts";

/** One of PyTorch's functions in terms of ours. */
export type TorchOp = (inputs: readonly Tensor[], args: TorchArgs) => Tensor | readonly Tensor[];

type Unary = (x: Tensor, args: TorchArgs) => Tensor | readonly Tensor[];
type Binary = (a: Tensor, b: Tensor, args: TorchArgs) => Tensor;
type Ternary = (a: Tensor, b: Tensor, c: Tensor, args: TorchArgs) => Tensor;

function need(x: Tensor | undefined): Tensor {
  if (!x) throw new Error("an input is missing");
  return x;
}
const one =
  (f: Unary): TorchOp =>
  ([x], args) =>
    f(need(x), args);
const two =
  (f: Binary): TorchOp =>
  ([a, b], args) =>
    f(need(a), need(b), args);
const three =
  (f: Ternary): TorchOp =>
  ([a, b, c], args) =>
    f(need(a), need(b), need(c), args);

const truthy = (x: Tensor): Tensor => x.cast("bool");
const ranked = ({ values, indices }: Ranked): Tensor[] => [values, indices];
const dim = (args: TorchArgs): { axis: number } => ({ axis: args.number("dim") });
/** `{axis, keepdim}` with one axis at most. */
const alongOne = (args: TorchArgs): AxisOptions => ({
  ...(args.has("dim") && dim(args)),
  keepdim: args.flag("keepdim"),
});
const reduction = (args: TorchArgs): { reduction: Reduction } => ({
  reduction: args.text("reduction", "mean") as Reduction,
});
const eps = (args: TorchArgs): { eps: number } => ({ eps: args.number("eps", 1e-5) });

type ConvLike = (x: Tensor, w: Tensor, bias: Tensor | null, options: Record<string, unknown>) => Tensor;
const convolution =
  (f: ConvLike): TorchOp =>
  ([x, w, bias], args) => {
    const names = { stride: "stride", padding: "padding", dilation: "dilation", output_padding: "outputPadding" };
    const options: Record<string, unknown> = { groups: args.number("groups", 1) };
    for (const [theirs, ours] of Object.entries(names)) if (args.has(theirs)) options[ours] = args.perAxis(theirs);
    return f(need(x), need(w), bias ?? null, options);
  };

type PoolLike = (x: Tensor, kernel: number | readonly number[], options: Record<string, unknown>) => Tensor;
const pooling = (f: PoolLike): TorchOp =>
  one((x, args) => {
    const options: Record<string, unknown> = { ceilMode: args.flag("ceil_mode") };
    for (const name of ["stride", "padding", "dilation"]) if (args.has(name)) options[name] = args.perAxis(name);
    if (args.has("count_include_pad")) options.countIncludePad = args.flag("count_include_pad");
    return f(x, args.perAxis("kernel_size") ?? 1, options);
  });

const pair = (args: TorchArgs, name: string): [number, number] => {
  const [a = 1, b = a] = args.numbers(name);
  return [a, b];
};
const patches = (args: TorchArgs): UnfoldOptions => ({
  ...(args.has("stride") && { stride: pair(args, "stride") }),
  ...(args.has("padding") && { padding: pair(args, "padding") }),
  ...(args.has("dilation") && { dilation: pair(args, "dilation") }),
});

const RESAMPLE_MODES: Readonly<Record<string, ResampleMode>> = {
  nearest: "nearest",
  "nearest-exact": "nearest-exact",
  linear: "linear",
  bilinear: "linear",
  trilinear: "linear",
  bicubic: "cubic",
};

function resized(x: Tensor, args: TorchArgs): Tensor {
  const spatial = x.ndim - 2;
  const mode = RESAMPLE_MODES[args.text("mode", "nearest")];
  if (!mode) throw new Error(`interpolate: mode ${args.text("mode")} is not known`);
  const size = args.perAxis("size");
  const scaleFactor = args.perAxis("scale_factor");
  return interpolate(x, {
    mode,
    alignCorners: args.flag("align_corners"),
    ...(size !== undefined && { size: typeof size === "number" ? new Array<number>(spatial).fill(size) : size }),
    ...(scaleFactor !== undefined && { scaleFactor }),
  });
}

/** Torch's casts of this set: u8 wraps and is stored as i32. */
function cast(x: Tensor, args: TorchArgs): Tensor {
  const dtype = args.text("dtype");
  return dtype === "u8" ? x.cast("i32").bitAnd(255) : x.cast(dtype as DType);
}

const split: TorchOp = one((x, args) => {
  const axis = args.number("dim", 0);
  const sizes = args.perAxis("sizes") ?? 1;
  if (typeof sizes !== "number") return x.split(sizes, axis);
  const n = x.shape.at(axis) ?? 0;
  const whole = Array.from({ length: Math.ceil(n / sizes) }, (_, i) => Math.min(sizes, n - i * sizes));
  return x.split(whole, axis);
});

const statistics = (mean: Tensor | undefined, variance: Tensor | undefined): BatchStatistics => ({
  mean: need(mean),
  variance: need(variance),
});

/** PyTorch's functions by name, with PyTorch's meaning of each argument. */
export const torchOps: Readonly<Record<string, TorchOp>> = {
  exp: one((x) => x.exp()),
  exp2: one((x) => x.exp2()),
  expm1: one((x) => x.expm1()),
  log: one((x) => x.log()),
  log2: one((x) => x.log2()),
  log1p: one((x) => x.log1p()),
  sqrt: one((x) => x.sqrt()),
  rsqrt: one((x) => x.rsqrt()),
  reciprocal: one((x) => x.reciprocal()),
  square: one((x) => x.square()),
  sin: one((x) => x.sin()),
  cos: one((x) => x.cos()),
  tan: one((x) => x.tan()),
  asin: one((x) => x.asin()),
  acos: one((x) => x.acos()),
  atan: one((x) => x.atan()),
  tanh: one((x) => x.tanh()),
  sigmoid: one((x) => x.sigmoid()),
  logsigmoid: one((x) => logSigmoid(x)),
  silu: one((x) => x.silu()),
  mish: one((x) => mish(x)),
  quick_gelu: one((x) => quickGelu(x)),
  relu: one((x) => x.relu()),
  relu6: one((x) => relu6(x)),
  abs: one((x) => x.abs()),
  neg: one((x) => x.neg()),
  erf: one((x) => x.erf()),
  sign: one((x) => x.sign()),
  floor: one((x) => x.floor()),
  ceil: one((x) => x.ceil()),
  round: one((x) => x.round()),
  trunc: one((x) => x.trunc()),
  frac: one((x) => x.sub(x.trunc())),
  gelu: one((x, args) => (args.text("approximate", "none") === "tanh" ? x.gelu() : x.geluExact())),
  leaky_relu: one((x, args) => leakyRelu(x, args.number("negative_slope", 0.01))),
  elu: one((x, args) => elu(x, args.number("alpha", 1))),
  hardtanh: one((x, args) => hardtanh(x, args.number("min_val", -1), args.number("max_val", 1))),
  softplus: one((x, args) => softplus(x, { beta: args.number("beta", 1), threshold: args.number("threshold", 20) })),
  clamp: one((x, args) =>
    x.clamp(args.has("min") ? args.number("min") : null, args.has("max") ? args.number("max") : null),
  ),
  glu: one((x, args) => glu(x, args.number("dim", -1))),

  add: two((a, b) => a.add(b)),
  sub: two((a, b) => a.sub(b)),
  mul: two((a, b) => a.mul(b)),
  div: two((a, b) => a.div(b)),
  pow: two((a, b) => a.pow(b)),
  maximum: two((a, b) => a.maximum(b)),
  minimum: two((a, b) => a.minimum(b)),
  atan2: two((a, b) => a.atan2(b)),
  where: three((c, a, b) => where(c, a, b)),
  lerp: three((a, b, weight) => a.add(b.sub(a).mul(weight))),
  addcmul: three((x, a, b, args) => x.add(a.mul(b).mul(args.number("value", 1)))),
  addcdiv: three((x, a, b, args) => x.add(a.div(b).mul(args.number("value", 1)))),
  pow_scalar: one((x, args) => x.pow(args.number("exponent"))),
  add_scalar: one((x, args) => x.add(args.number("value"))),
  rsub_scalar: one((x, args) => x.neg().add(args.number("value"))),
  mul_scalar: one((x, args) => x.mul(args.number("value"))),
  div_scalar: one((x, args) => x.div(args.number("value"))),
  rdiv_scalar: one((x, args) => x.reciprocal().mul(args.number("value"))),

  eq: two((a, b) => a.eq(b)),
  ne: two((a, b) => a.ne(b)),
  lt: two((a, b) => a.lt(b)),
  le: two((a, b) => a.le(b)),
  gt: two((a, b) => a.gt(b)),
  ge: two((a, b) => a.ge(b)),
  logical_and: two((a, b) => a.and(b)),
  logical_or: two((a, b) => a.or(b)),
  logical_xor: two((a, b) => a.xor(b)),
  logical_not: one((x) => x.not()),
  isnan: one((x) => x.isNan()),
  isinf: one((x) => x.isInf()),
  isfinite: one((x) => x.isFinite()),
  nan_to_num: one((x, args) =>
    nanToNum(x, {
      nan: args.number("nan", 0),
      ...(args.has("posinf") && { posinf: args.number("posinf") }),
      ...(args.has("neginf") && { neginf: args.number("neginf") }),
    }),
  ),
  floor_divide: two((a, b) => a.floorDivide(b)),
  trunc_divide: two((a, b) => a.truncDivide(b)),
  remainder: two((a, b) => a.remainder(b)),
  fmod: two((a, b) => a.fmod(b)),
  bitwise_and: two((a, b) => a.bitAnd(b)),
  bitwise_or: two((a, b) => a.bitOr(b)),
  bitwise_xor: two((a, b) => a.bitXor(b)),
  bitwise_not: one((x) => x.bitNot()),
  shift_left: two((a, b) => a.shiftLeft(b)),
  shift_right: two((a, b) => a.shiftRight(b)),
  cast: one(cast),
  cast_roundtrip: one((x, args) => x.roundTo(args.text("dtype") as "f16" | "bf16")),

  reshape: one((x, args) => x.reshape(args.numbers("shape"))),
  permute: one((x, args) => x.permute(args.numbers("dims"))),
  transpose: one((x, args) => x.transpose(args.number("dim0"), args.number("dim1"))),
  expand: one((x, args) => torchExpand(x, args.numbers("shape"))),
  flip: one((x, args) => args.numbers("dims").reduce((t, axis) => t.flip(axis), x)),
  roll: one((x, args) => roll(x, args.numbers("shifts"), args.numbers("dims"))),
  cat: (xs, args) => concat(xs, dim(args)),
  stack: (xs, args) => stack(xs, dim(args)),
  split,
  chunk: one((x, args) => x.chunk(args.number("chunks"), args.number("dim", 0))),
  unbind: one((x, args) => unbind(x, args.number("dim", 0))),
  narrow: one((x, args) =>
    x.slice(args.number("dim"), args.number("start"), args.number("start") + args.number("length")),
  ),
  slice: one((x, args) => pythonSlices(x, args.raw("slices") as unknown[])),
  index_select: two((x, ids, args) => indexSelect(x, args.number("dim"), ids)),
  gather: two((x, ids, args) => gather(x, args.number("dim"), ids)),
  scatter_add: three((x, ids, source, args) => scatterAdd(x, args.number("dim"), ids, source)),
  scatter: three((x, ids, source, args) => scatter(x, args.number("dim"), ids, source)),
  index_add: three((x, ids, source, args) => indexAdd(x, args.number("dim"), ids, source)),
  masked_fill: two((x, mask, args) => maskedFill(x, mask, args.number("value"))),
  pad: one(torchPad),
  repeat: one((x, args) => tile(x, args.numbers("repeats"))),
  repeat_interleave: one((x, args) => x.repeat(args.number("repeats"), args.number("dim"))),
  tril: one((x, args) => tril(x, args.number("diagonal", 0))),
  triu: one((x, args) => triu(x, args.number("diagonal", 0))),
  one_hot: one((x, args) => oneHot(x, args.number("num_classes"))),
  embedding: two((ids, table) => embedding(table, ids)),
  squeeze: one((x, args) =>
    args.has("dim") ? x.squeeze(args.number("dim")) : x.reshape(x.shape.filter((n) => n !== 1)),
  ),
  unsqueeze: one((x, args) => x.unsqueeze(args.number("dim"))),
  flatten: one((x, args) => flatten(x, args.number("start_dim", 0), args.number("end_dim", -1))),
  unflatten: one((x, args) => unflatten(x, args.number("dim"), args.numbers("sizes"))),
  movedim: one((x, args) => moveAxis(x, args.number("source"), args.number("destination"))),
  diagonal: one((x, args) => diagonal(x, args.number("offset", 0))),
  meshgrid: (xs, args) => meshgrid(xs, { indexing: args.text("indexing", "ij") as "ij" | "xy" }),
  arange: (_, args) => range(args.number("start", 0), args.number("end"), args.number("step", 1)).cast("i32"),
  linspace: (_, args) => linspace(args.number("start"), args.number("end"), args.number("steps")),
  eye: (_, args) => eye(args.number("n"), args.number("m", args.number("n"))),
  full: (_, args) => full(args.numbers("shape"), args.number("value")),

  sum: one((x, args) => x.sum(args.reduction)),
  mean: one((x, args) => x.mean(args.reduction)),
  amax: one((x, args) => x.max(args.reduction)),
  amin: one((x, args) => x.min(args.reduction)),
  var: one((x, args) => x.variance({ ...args.reduction, correction: args.number("correction", 1) })),
  std: one((x, args) => std(x, { ...args.reduction, correction: args.number("correction", 1) })),
  norm: one((x, args) => norm(x, { ...args.reduction, p: args.number("p", 2) })),
  max_dim: one((x, args) => ranked(maxWithIndices(x, args.number("dim"), { keepdim: args.flag("keepdim") }))),
  min_dim: one((x, args) => ranked(minWithIndices(x, args.number("dim"), { keepdim: args.flag("keepdim") }))),
  argmax: one((x, args) => argmax(x, alongOne(args))),
  argmin: one((x, args) => argmin(x, alongOne(args))),
  prod: one((x, args) => prod(x, alongOne(args))),
  logsumexp: one((x, args) => logSumExp(x, args.reduction)),
  cumsum: one((x, args) => cumsum(x, args.number("dim"))),
  cumprod: one((x, args) => cumprod(x, args.number("dim"))),
  softmax: one((x, args) => softmax(x, dim(args))),
  log_softmax: one((x, args) => logSoftmax(x, dim(args))),
  sort: one((x, args) => ranked(sort(x, { ...dim(args), descending: args.flag("descending") }))),
  topk: one((x, args) => ranked(topk(x, args.number("k"), dim(args)))),
  normalize: one((x, args) => normalize(x, { p: args.number("p", 2), axis: args.number("dim", 1) })),
  any: one((x, args) => any(truthy(x), args.reduction)),
  all: one((x, args) => all(truthy(x), args.reduction)),
  count_nonzero: one((x, args) => countNonzero(x, args.reduction)),

  matmul: two((a, b) => a.matmul(b)),
  bmm: two((a, b) => a.matmul(b)),
  addmm: three((x, a, b, args) => x.mul(args.number("beta", 1)).add(a.matmul(b).mul(args.number("alpha", 1)))),
  baddbmm: three((x, a, b, args) => x.mul(args.number("beta", 1)).add(a.matmul(b).mul(args.number("alpha", 1)))),
  outer: two((a, b) => a.unsqueeze(1).mul(b)),
  dot: two((a, b) => a.mul(b).sum()),
  linear: ([x, w, bias]) => linear(need(x), need(w), bias),
  einsum: (xs, args) => einsum(args.text("equation"), xs),

  layer_norm: ([x, weight, bias], args) =>
    layerNorm(need(x), weight, bias, { ...eps(args), axes: args.number("ndims", 1) }),
  rms_norm: ([x, weight], args) => rmsNorm(need(x), weight, { eps: args.number("eps", 1e-6) }),
  group_norm: ([x, weight, bias], args) => groupNorm(need(x), args.number("num_groups"), weight, bias, eps(args)),
  batch_norm_eval: ([x, mean, variance, weight, bias], args) =>
    batchNorm(need(x), statistics(mean, variance), weight, bias, eps(args)),
  batch_norm_train: ([x, weight, bias], args) => batchNorm(need(x), null, weight, bias, eps(args)),
  instance_norm: ([x, weight, bias], args) => instanceNorm(need(x), weight, bias, eps(args)),

  avg_pool1d: pooling(averagePool1d),
  avg_pool2d: pooling(averagePool2d),
  avg_pool3d: pooling(averagePool3d),
  max_pool1d: pooling(maxPool1d),
  max_pool2d: pooling(maxPool2d),
  max_pool3d: pooling(maxPool3d),
  adaptive_avg_pool1d: one((x, args) => adaptiveAveragePool(x, args.numbers("output_size"))),
  adaptive_avg_pool2d: one((x, args) => adaptiveAveragePool(x, pair(args, "output_size"))),
  interpolate: one(resized),
  pixel_shuffle: one((x, args) => pixelShuffle(x, args.number("factor"))),
  pixel_unshuffle: one((x, args) => pixelUnshuffle(x, args.number("factor"))),
  unfold: one((x, args) => unfold(x, pair(args, "kernel_size"), patches(args))),
  fold: one((x, args) => fold(x, pair(args, "output_size"), pair(args, "kernel_size"), patches(args))),
  grid_sample: two((x, grid, args) =>
    gridSample(x, grid, {
      mode: args.text("mode", "bilinear") as "bilinear" | "nearest",
      paddingMode: args.text("padding_mode", "zeros") as "zeros" | "border" | "reflection",
      alignCorners: args.flag("align_corners"),
    }),
  ),

  conv1d: convolution(conv1d),
  conv2d: convolution(conv2d),
  conv3d: convolution(conv3d),
  conv_transpose1d: convolution(convTranspose1d),
  conv_transpose2d: convolution(convTranspose2d),
  conv_transpose3d: convolution(convTranspose3d),

  sdpa: ([q, k, v, mask], args) =>
    attention(need(q), need(k), need(v), {
      ...(args.has("scale") && { scale: args.number("scale") }),
      ...(mask && { mask }),
      causal: args.flag("is_causal"),
    }),

  mse_loss: two((a, b, args) => mseLoss(a, b, reduction(args))),
  l1_loss: two((a, b, args) => l1Loss(a, b, reduction(args))),
  smooth_l1_loss: two((a, b, args) => smoothL1Loss(a, b, { ...reduction(args), beta: args.number("beta", 1) })),
  huber_loss: two((a, b, args) => huberLoss(a, b, { ...reduction(args), delta: args.number("delta", 1) })),
  bce_with_logits: two((a, b, args) => bceWithLogits(a, b, reduction(args))),
  kl_div: two((a, b, args) => klDivergence(a, b, reduction(args))),
  cross_entropy: ([logits, target, weight], args) =>
    crossEntropy(need(logits), need(target), {
      ...reduction(args),
      weight: weight ?? null,
      labelSmoothing: args.number("label_smoothing", 0),
      ignoreIndex: args.number("ignore_index", -100),
    }),
  nll_loss: ([logP, target, weight], args) =>
    nllLoss(need(logP), need(target), {
      ...reduction(args),
      weight: weight ?? null,
      ignoreIndex: args.number("ignore_index", -100),
    }),
  cosine_similarity: two((a, b, args) =>
    cosineSimilarity(a, b, { axis: args.number("dim", 1), eps: args.number("eps", 1e-8) }),
  ),
  pairwise_distance: two((a, b, args) =>
    pairwiseDistance(a, b, { p: args.number("p", 2), eps: args.number("eps", 1e-6) }),
  ),
};
