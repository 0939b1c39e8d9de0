import { realize, stack, type Tensor, tensor } from "@omni/core";
import {
  euler,
  flowPoint,
  flowSchedule,
  guidedVelocity,
  heun,
  lossWeight,
  type LossWeighting,
  type MultistepSolver,
  type Respacing,
  type Schedule,
  type ScheduleOptions,
  type Solver,
  startSolver,
  trainingTimes,
  uniPC,
} from "@omni/sampler";
import { type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import { TorchArgs } from "../torch-args.ts";
import { type Computed, SkippedCase } from "../types.ts";

const row = (values: readonly number[]): Computed => ({
  shape: [values.length],
  dtype: "f32",
  data: Float32Array.from(values),
});

const RESPACINGS: Readonly<Record<string, Respacing>> = {
  use_karras_sigmas: "karras",
  use_exponential_sigmas: "exponential",
  use_beta_sigmas: "beta",
};

/** diffusers' arguments of FlowMatchEulerDiscreteScheduler as ours; its dynamic shift is exponential or linear in mu. */
function flowMatchOptions(args: TorchArgs): Omit<ScheduleOptions, "steps"> {
  const dynamic = args.flag("use_dynamic_shifting");
  const linear = args.text("time_shift_type", "exponential") === "linear";
  const respacing = Object.entries(RESPACINGS).find(([name]) => args.flag(name))?.[1];
  return {
    spacing: "diffusers",
    trainSteps: args.number("num_train_timesteps", 1000),
    shift: args.number("shift", 1),
    ...(dynamic && { mu: linear ? Math.log(args.number("mu")) : args.number("mu") }),
    ...(args.has("shift_terminal") && { terminal: args.number("shift_terminal") }),
    ...(respacing && { respacing }),
  };
}

/** Sigmas of diffusers' Euler scheduler: times, or their mirror image for models whose data lies at 1. */
function eulerSigmas(args: TorchArgs, steps: number): Schedule {
  const times = flowSchedule({ steps, ...flowMatchOptions(args) });
  return args.flag("invert_sigmas") ? times.map((t) => 1 - t) : times;
}

function sigmas({ args }: ModelCase): ModelAnswer {
  const times = eulerSigmas(args, args.number("num_inference_steps"));
  const trainSteps = args.number("num_train_timesteps", 1000);
  return {
    outputs: {
      sigmas: () => row(times),
      timesteps: () => row(times.slice(0, -1).map((t) => t * trainSteps)),
    },
  };
}

function training({ args, input }: ModelCase): ModelAnswer {
  const trainSteps = args.number("num_train_timesteps", 1000);
  // a dynamic shift is sampling's alone
  const shift = args.flag("use_dynamic_shifting") ? 1 : args.number("shift", 1);
  const times = trainingTimes({ trainSteps, shift });
  const { xt } = flowPoint(input("x0"), input("noise"), input("timestep").div(trainSteps));
  return {
    outputs: {
      train_sigmas: () => row(times),
      train_timesteps: () => row(times.map((t) => t * trainSteps)),
      scale_noise: () => xt,
    },
  };
}

const WEIGHTINGS: Readonly<Record<string, LossWeighting>> = { sigma_sqrt: "sigma-sqrt", cosmap: "cosmap" };

function weighting({ args, input }: ModelCase): ModelAnswer {
  const scheme = WEIGHTINGS[args.text("scheme")] ?? "none";
  return { outputs: { w: () => lossWeight(input("sigmas"), scheme) } };
}

/** A sampler of diffusers': its solver, the times it walks through, and what the network is told of them. */
interface Walk {
  readonly solver: Solver | MultistepSolver;
  readonly times: Schedule;
  readonly timestep: (t: number) => number;
  /** Evaluations in the way that diffusers counts them: Heun's second one is a step of its own. */
  readonly evaluations: Schedule;
}

function walkOf(scheduler: string, config: TorchArgs, steps: number): Walk {
  const trainSteps = config.number("num_train_timesteps", 1000);
  const timestep = (t: number): number => t * trainSteps;
  switch (scheduler) {
    case "FlowMatchEulerDiscreteScheduler": {
      const times = eulerSigmas(config, steps);
      return { solver: euler, times, timestep, evaluations: times };
    }
    case "FlowMatchHeunDiscreteScheduler": {
      const times = flowSchedule({ steps, ...flowMatchOptions(config) });
      const evaluations = times.flatMap((t, i) => (i === 0 || i === times.length - 1 ? [t] : [t, t]));
      return { solver: heun, times, timestep, evaluations };
    }
    case "UniPCMultistepScheduler": {
      if (!config.flag("use_flow_sigmas") || !config.flag("predict_x0", true))
        throw new SkippedCase("UniPC of diffusion models is not implemented");
      if (config.text("final_sigmas_type", "zero") !== "zero")
        throw new SkippedCase("a last sigma above 0 is not implemented");
      const shift = config.number("flow_shift", 1);
      const times = flowSchedule({ steps, shift, spacing: "unipc", trainSteps });
      const solver = uniPC({
        order: config.number("solver_order", 2),
        kind: config.text("solver_type", "bh2") as "bh1" | "bh2",
        lowerOrderFinal: config.flag("lower_order_final", true),
      });
      return { solver, times, timestep: (t) => Math.trunc(timestep(t)), evaluations: times };
    }
    default:
      throw new SkippedCase(`${scheduler} is not implemented`);
  }
}

/** The set's test velocity: tanh(x W (0.5 + timestep / 1000) + c). */
async function sampling({ args, input }: ModelCase): Promise<ModelAnswer> {
  const config = new TorchArgs({ ...(args.raw("config") as Record<string, unknown>), mu: args.raw("mu") });
  const { solver, times, timestep, evaluations } = walkOf(
    args.text("scheduler"),
    config,
    args.number("num_inference_steps"),
  );
  const scale = args.number("guidance_scale", 1);
  const [conditional, unconditional, matrix] = [input("c_cond"), input("c_uncond"), input("W")];
  const guided = guidedVelocity<Tensor>(
    (x, t, branches) => branches.map((c) => x.matmul(matrix).mul(t.div(1000).add(0.5)).add(c).tanh()),
    scale > 1
      ? { kind: "joint", full: conditional, dropped: unconditional, scale }
      : { kind: "none", full: unconditional },
    0,
    1,
  );
  const visited: Tensor[] = [];
  const velocities: Tensor[] = [];
  const field = (x: Tensor, t: number): Tensor => {
    const velocity = guided(x, tensor([timestep(t)]));
    visited.push(x);
    velocities.push(velocity);
    return velocity;
  };
  const run = startSolver(solver, times);
  let end = input("x_T");
  for (const [i, t] of times.slice(0, -1).entries()) {
    end = run.step(field, end, t, times[i + 1] ?? 0);
    await realize([end, ...run.kept, ...visited, ...velocities]);
  }
  return {
    outputs: {
      sigmas: () => row(evaluations),
      timesteps: () => row(evaluations.slice(0, -1).map(timestep)),
      trajectory: () => stack([...visited, end]),
      velocities: () => stack(velocities),
    },
  };
}

/** Times, solvers and loss weights of flow matching. */
export const runScheduler = modelCases({
  flow_match_euler_sigmas: sigmas,
  flow_match_train: training,
  sd3_loss_weighting: weighting,
  flow_sampling: sampling,
});
