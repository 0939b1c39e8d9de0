export { allclose, difference, EXACT, expectClose, ROUNDING, type Tolerance } from "./allclose.ts";
export { gradcheck, numericGradient, numericSlope, type GradcheckOptions } from "./gradcheck.ts";
export { at, build, coordinatesOf, sample, sum, withAxis, type Nd } from "./nd.ts";
export { publishedState } from "./published-state.ts";
