import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Wav2Vec2Encoder } from "@omni/audio";
import { getDevice, type PlanReport, Rng } from "@omni/core";
import { openCheckpoint } from "@omni/core/checkpoint";
import { Denoiser, forgetPose, presets, saveAudio, saveAutoencoder, saveDenoiser, WEIGHT_FILES } from "@omni/human";
import { visemeClasses } from "@omni/puppet";
import { halvingStages, nanoVaePhases, trainAudio, trainDit, trainVae, withPoseRatio } from "@omni/trainer";
import type { LogLine, LoopOptions } from "@omni/trainer";
import { CausalVae } from "@omni/vae";
import { note } from "./context.ts";
import type { Context } from "./context.ts";
import { Interrupted, UsageError } from "./failure.ts";
import { Progress } from "./progress.ts";
import { openPuppets } from "./puppet-source.ts";
import type { PuppetSource } from "./puppet-source.ts";
import { openLog } from "./run-log.ts";
import { trainingLosses } from "./vae-losses.ts";
import type { VaeLosses } from "./vae-losses.ts";

/** The parts in the order in which they are trained: the last needs the others. */
const PARTS = ["vae", "audio", "dit"] as const;
export type Part = (typeof PARTS)[number];

/** What `omni train` is asked for. */
export interface TrainRequest {
  readonly part: Part;
  /** Folder of weights, checkpoints and logs. */
  readonly out: string;
  readonly steps: number;
  readonly seed: number;
  readonly batch: number | null;
  readonly lr: number | null;
  /** Stops after so long. */
  readonly minutes: number | null;
  readonly resume: boolean;
  /** Folder of weights that the run starts from; a resumed one takes its config from them. */
  readonly init: string | null;
  /** Trains the decoder of the autoencoder alone. */
  readonly decoderOnly: boolean;
  /** Noise on the latents that the decoder is trained to see through, in their deviations. */
  readonly latentNoise: number;
  /** What the autoencoder is to minimise. */
  readonly losses: VaeLosses;
  /** First stage of the denoiser's run. */
  readonly firstStage: number;
  /** Share of clips with a pose in the last stage. */
  readonly poseRatio: number;
  /** Share of clips in which nobody speaks; null: the puppets'. */
  readonly silentRatio: number | null;
  /** Starts the pose condition of `init` anew. */
  readonly freshPose: boolean;
  /** The command, for the record. */
  readonly command: string;
}

/** Steps of a run of a few hours on two cores with lavapipe. */
export const DEFAULT_STEPS = { vae: 800, audio: 480, dit: 3000 } as const satisfies Record<Part, number>;

/**
 * Trains one part on puppets and writes its weights as f16 into the folder, with a checkpoint to resume from and a log beside them.
 *
 * @returns path of the weights
 * @throws Interrupted after Ctrl-C; the checkpoint holds the last step
 */
export async function train(request: TrainRequest, context: Context): Promise<string> {
  const { part, out } = request;
  await mkdir(out, { recursive: true }).catch(() => {
    throw new UsageError(`${out}: the folder cannot be made here; choose another one with --out`);
  });
  const device = await getDevice();
  note(context, device.description);
  const log = openLog(join(out, `${part}.jsonl`));
  const progress = new Progress(context, `training ${part}`);
  const limit = request.minutes === null ? [] : [AbortSignal.timeout(request.minutes * 60_000)];
  const checkpoint = join(out, `${part}.checkpoint.safetensors`);
  const done = { steps: 0 };
  const onLog = (line: LogLine): void => {
    done.steps = line.step;
    log.write("step", { ...line });
    progress.update(line.step / line.steps, describe(line));
  };
  const onPlan = (plan: PlanReport): void => {
    log.write("plan", { dispatches: plan.dispatches, peakBytes: plan.peakBytes, bytes: plan.bytes });
    note(
      context,
      `A step is ${plan.dispatches} kernels and needs ${Math.ceil(plan.peakBytes / 2 ** 20)} MiB on the device.`,
    );
  };
  try {
    const puppets = await openPuppets(
      "train",
      request.seed,
      request.silentRatio === null ? {} : { silentRate: request.silentRatio },
    );
    const bytes = await trained(
      request,
      puppets,
      {
        steps: request.steps,
        checkpoint,
        signal: AbortSignal.any([context.signal, ...limit]),
        onLog,
        onPlan,
      },
      async () => {
        if (context.signal.aborted)
          throw new Interrupted(`stopped after step ${done.steps}; go on with the same command and --resume`);
        return {
          command: request.command,
          seed: `${request.seed}`,
          steps: `${await stepsIn(checkpoint)}`,
          adapter: device.adapterName,
        };
      },
    );
    const path = join(out, WEIGHT_FILES[part]);
    await writeFile(path, bytes);
    return path;
  } finally {
    progress.stop();
    log.close();
  }
}

/** @param record called when training has ended: how the weights were made */
async function trained(
  request: TrainRequest,
  puppets: PuppetSource,
  loop: LoopOptions,
  record: () => Promise<Readonly<Record<string, string>>>,
): Promise<Uint8Array> {
  const { part, out, seed, batch, lr, resume, init, decoderOnly, latentNoise, firstStage, freshPose, poseRatio } =
    request;
  const first = async <M>(load: (path: string) => Promise<M>): Promise<{ start?: M }> =>
    init === null ? {} : { start: await load(join(init, WEIGHT_FILES[part])) };
  const options = { ...loop, seed, resume, ...(batch !== null && { batch }), ...(lr !== null && { lr }) };
  switch (part) {
    case "vae": {
      // weights to start from have seen their pictures
      const planned = init === null ? nanoVaePhases : nanoVaePhases.slice(-1);
      const phases = batch === null ? planned : planned.map((phase) => ({ ...phase, batch }));
      const vae = await trainVae({
        ...options,
        ...(await first((path) => CausalVae.load(path))),
        clips: puppets.clips,
        phases,
        decoderOnly,
        latentNoise,
        ...(await trainingLosses(request.losses, request)),
      });
      return saveAutoencoder(vae, { metadata: await record() });
    }
    case "audio": {
      const encoder = await trainAudio({
        ...options,
        ...(await first((path) => Wav2Vec2Encoder.load(path))),
        speech: puppets.speech,
        classes: visemeClasses,
      });
      return saveAudio(encoder, { metadata: await record() });
    }
    case "dit": {
      const vae = await CausalVae.load(join(out, WEIGHT_FILES.vae));
      const audio = await Wav2Vec2Encoder.load(join(out, WEIGHT_FILES.audio));
      const { start } = await first((path) => Denoiser.load(path));
      const { denoiser, average } = await trainDit({
        ...options,
        ...(start && { start: freshPose ? forgetPose(start, new Rng(seed)) : start }),
        firstStage,
        stages: withPoseRatio(halvingStages, poseRatio),
        clips: puppets.clips,
        vae,
        audio,
      });
      return saveDenoiser(denoiser, { metadata: await record(), values: average, sampling: presets.nano.sampling });
    }
  }
}

/** Steps that a checkpoint has behind it. */
async function stepsIn(path: string): Promise<number> {
  const checkpoint = await openCheckpoint(path);
  await checkpoint.close();
  return Number(checkpoint.metadata["step"]);
}

function describe({ step, steps, values, secondsPerStep, deviceBytes }: LogLine): string {
  const loss = values["loss"]?.toPrecision(4) ?? "–";
  const pace =
    secondsPerStep > 1 ? `${secondsPerStep.toFixed(1)} s/step` : `${(1 / secondsPerStep).toFixed(1)} steps/s`;
  return `step ${step} of ${steps}, loss ${loss}, ${pace}, ${Math.round(deviceBytes / 2 ** 20)} MiB`;
}
