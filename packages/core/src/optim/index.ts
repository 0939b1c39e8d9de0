export {
  Optimizer,
  type BaseOptions,
  type NamedTensors,
  type OptimizerState,
  type ParameterGroup,
  type OptimizerParameters,
  type SavedTensor,
  type StepOptions,
  type UpdateRule,
} from "./optimizer.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { AdamOptions } from "./adam-rule.ts";
export { Adam } from "./adam.ts";
export { AdamW } from "./adamw.ts";
export { Lion, type LionOptions } from "./lion.ts";
export { Muon, type MuonOptions } from "./muon.ts";
export { muonWithAdamW } from "./muon-with-adamw.ts";
export { orthogonalize } from "./orthogonalize.ts";
export { OptimizerSet, type Stepping } from "./optimizer-set.ts";
export { decayGroups } from "./decay-groups.ts";
export { clipGradNorm, clipGradValue } from "./clip.ts";
export { GradientAccumulator } from "./gradient-accumulator.ts";
export { LossScaler, type LossScalerOptions } from "./loss-scaler.ts";
export { Ema } from "./ema.ts";
export { diffusersDecay, fixedDecay, warmingDecay, type DiffusersEmaOptions, type EmaDecay } from "./ema-decay.ts";
export {
  constant,
  constantWithWarmup,
  cosine,
  cosineWithRestarts,
  linear,
  piecewiseConstant,
  polynomial,
  warmupHoldDecay,
  type LrSchedule,
} from "./lr-schedule.ts";
