export { cleanFromVelocity, flowPoint, noiseFromVelocity } from "./flow.ts";
export type { FlowPoint } from "./flow.ts";
export { drawTimes, flowSchedule, logitNormal, shiftForLength, shiftTime } from "./timesteps.ts";
export type { LengthShiftOptions, Schedule, ScheduleOptions, TimeDistribution, TimeOptions } from "./timesteps.ts";
export { eachBranch } from "./velocity.ts";
export type { BranchVelocity, Field, Solver, Velocity } from "./velocity.ts";
export { euler } from "./euler.ts";
export { heun } from "./heun.ts";
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
