/** Fits a curve on whatever adapter there is, and prints how the loss falls. */
import { getDevice } from "@omni/core";
import { fitCurve } from "./fit-curve.ts";

console.log((await getDevice()).description);
for await (const { step, loss } of fitCurve({ every: 50 })) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
