export { Module, type StateValue } from "./module.ts";
export {
  Conv1d,
  Conv2d,
  Conv3d,
  Embedding,
  GroupNorm,
  LayerNorm,
  Linear,
  RMSNorm,
  type ConvLayerOptions,
  type Init,
  type LayerOptions,
} from "./layers.ts";
