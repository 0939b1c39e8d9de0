import { type Device, getDevice } from "@omni/core";
import { forwardExpected } from "../../ops/attention.ts";
import { FLOAT64, type Started } from "../contender.ts";
import { modelBuilders } from "./models.ts";
import { opBuilders } from "./ops.ts";
import { trainingBuilders } from "./training.ts";

// the commit says more, and stands in every record
const VERSION = "";

/** @omni/core, through what it exports. */
export function startOurs(device: Device): Started {
  return {
    version: VERSION,
    gpu: device.gpu,
    builders: { ...opBuilders(device), ...trainingBuilders(device), ...modelBuilders(device) },
  };
}

/** @omni/core with a device of its own: how a checkout of an earlier commit, whose sources resolve to that commit's packages, enters the race. */
export const startAlone = async (): Promise<Started> => startOurs(await getDevice());

/** The forward pass alone, beside ops that measure it with its gradient. */
export function startForward(device: Device): Started {
  const { attention } = opBuilders(device);
  if (!attention) return { version: VERSION, builders: {} };
  return {
    version: VERSION,
    builders: {
      attentionBackward: async (spec, inputs) => ({
        ...(await attention(spec, inputs)),
        reference: { how: FLOAT64, expected: () => Promise.resolve(forwardExpected(spec, inputs)) },
      }),
    },
  };
}
