export {
  Optimizer,
  type BaseOptions,
  type NamedTensors,
  type OptimizerState,
  type ParameterGroup,
  type OptimizerParameters,
  type SavedTensor,
  type StepOptions,
  type UpdateInputs,
  type UpdateRule,
} from "./optimizer.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { AdamOptions } from "./adam-rule.ts";
export { Adam } from "./adam.ts";
export { AdamW } from "./adamw.ts";
export { Lion, type LionOptions } from "./lion.ts";
export { Muon, type MuonOptions } from "./muon.ts";
export { type MuonSplit, muonWithAdamW } from "./muon-with-adamw.ts";
export { orthogonalize } from "./orthogonalize.ts";
export { OptimizerSet, type Stepping } from "./optimizer-set.ts";
export { type DecayGroup, decayGroups } from "./decay-groups.ts";
export { type ClippedNorm, clipGradNorm, clipGradValue } from "./clip.ts";
export { GradientAccumulator } from "./gradient-accumulator.ts";
export { LossScaler, type LossScalerOptions, type LossScalerState, type ScaledStep } from "./loss-scaler.ts";
export { Ema } from "./ema.ts";
export { diffusersDecay, fixedDecay, warmingDecay, type DiffusersEmaOptions, type EmaDecay } from "./ema-decay.ts";
export {
  constant,
  constantWithWarmup,
  cosine,
  cosineWithRestarts,
  type Ending,
  linear,
  piecewiseConstant,
  polynomial,
  type Warmed,
  warmupHoldDecay,
  type LrSchedule,
} from "./lr-schedule.ts";
