export { labelModules } from "./label-modules.ts";
export { buffer, type LoadedNames, Module, type StateValue } from "./module.ts";
export {
  Conv1d,
  Conv2d,
  Conv3d,
  Embedding,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  Linear,
  RMSNorm,
  type ConvLayerOptions,
  type Init,
  type LayerOptions,
} from "./layers.ts";
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, type ConvTransposeLayerOptions } from "./conv-transpose.ts";
export { BatchNorm, type BatchNormOptions } from "./batch-norm.ts";
export { type AttendOptions, MultiHeadAttention, type MultiHeadAttentionOptions } from "./attention.ts";
export { MLP, type MLPOptions, SwiGLU } from "./mlp.ts";
export { quantizeLinear } from "./quantize.ts";
export { Dropout } from "./dropout.ts";
export { type Layer, ModuleList, Sequential } from "./sequential.ts";
export {
  fans,
  type Fans,
  gainOf,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  type KaimingOptions,
  type Nonlinearity,
  normal,
  orthogonal,
  truncatedNormal,
  uniform,
  xavierNormal,
  xavierUniform,
} from "./init.ts";
