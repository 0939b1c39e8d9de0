export { cleanFromVelocity, flowPoint, noiseFromVelocity } from "./flow.ts";
export type { FlowPoint } from "./flow.ts";
export { lossWeight } from "./loss-weight.ts";
export type { LossWeighting } from "./loss-weight.ts";
export type { Respacing } from "./respacing.ts";
export { drawTimes, flowSchedule, logitNormal, shiftForLength, shiftTime, trainingTimes } from "./timesteps.ts";
export type { LengthShiftOptions, Schedule, ScheduleOptions, TimeDistribution, TimeOptions } from "./timesteps.ts";
export { eachBranch } from "./velocity.ts";
export type { BranchVelocity, Field, Solver, Velocity } from "./velocity.ts";
export { euler } from "./euler.ts";
export { heun } from "./heun.ts";
export { uniPC } from "./unipc.ts";
export type { UniPCOptions } from "./unipc.ts";
export { startSolver } from "./multistep.ts";
export type { Multistep, MultistepSolver } from "./multistep.ts";
export {
  annealedGuidance,
  defaultGuidanceScale,
  guidanceScaleAt,
  guidedVelocity,
  guideJoint,
  guideSeparate,
} from "./guidance.ts";
export type { Guidance, GuidanceCurve, SeparateBranches } from "./guidance.ts";
export { sample } from "./sample.ts";
export type { SampleOptions, SampleProgress } from "./sample.ts";
