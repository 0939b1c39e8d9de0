export {
  directForward as convForwardProgram,
  directInputGrad as convInputGradProgram,
  directWeightGrad as convWeightGradProgram,
  type ConvSpec,
} from "./conv-direct.wgsl.ts";
