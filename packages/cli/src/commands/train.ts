import type { AdapterChoice } from "@omni/core";
import { Argument, Command, Option } from "commander";
import type { Context } from "../context.ts";
import { UsageError } from "../failure.ts";
import { print } from "../context.ts";
import { adapterOption, count, index, positive, share, stage } from "../options.ts";
import type { Part } from "../training.ts";
import { checkLosses, givenLosses, vaeLossOptions } from "../vae-losses.ts";
import type { VaeLosses } from "../vae-losses.ts";

interface Options extends VaeLosses {
  readonly out: string;
  readonly preset: "nano";
  readonly steps?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly seed: number;
  readonly minutes?: number;
  readonly resume?: boolean;
  readonly init?: string;
  readonly decoderOnly?: boolean;
  readonly latentNoise?: number;
  readonly firstStage: number;
  readonly freshPose?: boolean;
  readonly poseRatio: number;
  readonly silentRatio?: number;
  readonly adapter?: AdapterChoice;
}

const examples = `
Examples, in this order:
  omni train vae   --out runs/nano                 pictures ↔ latents
  omni train audio --out runs/nano                 sound → features
  omni train dit   --out runs/nano --minutes 60    the denoiser, on what the other two make
  omni train dit   --out runs/nano --resume        go on after a stop
  omni animate --weights runs/nano --image me.png --audio me.wav --out me.mp4`;

/** `omni train`: trains a part of the nano model on puppets. */
export function trainCommand(context: Context): Command {
  const command = new Command("train")
    .description("train a part of the model on cartoon people drawn on the fly")
    .addArgument(new Argument("<part>", "what to train").choices(["vae", "audio", "dit"]))
    .addOption(new Option("--preset <name>", "size of the model").choices(["nano"]).default("nano"))
    .option("--out <folder>", "for weights, checkpoint and log", "runs/nano")
    .option("--steps <n>", "steps in all; default: a few hours on two cores", count)
    .option("--batch <n>", "clips a step", count)
    .option("--lr <rate>", "peak learning rate", positive)
    .option("--seed <n>", "of weights, data and noise", index, 0)
    .option("--minutes <n>", "stop after so long", positive)
    .option("--resume", "go on from the folder's checkpoint")
    .option("--init <folder>", "start a new run from the weights of a folder")
    .option("--decoder-only", "vae: keep the latents of --init, which a trained denoiser needs, and train the decoder")
    .option(
      "--latent-noise <deviation>",
      "vae: add noise of up to this size to the latents, so that the decoder forgives what a denoiser leaves",
      positive,
    );
  for (const option of vaeLossOptions()) command.addOption(option);
  return command
    .option("--first-stage <n>", "dit: leave out the stages before; 0 text, 1 reference, 2 audio, 3 pose", stage, 0)
    .option(
      "--pose-ratio <share>",
      "dit: of the last stage's clips that have a pose; the paper's 0.25, or its 0.5",
      share,
      0.25,
    )
    .option(
      "--silent-ratio <share>",
      "vae, dit: of the clips in which nobody speaks; default: the puppets' 0.08",
      share,
    )
    .option("--fresh-pose", "dit: let --init forget what it knows of poses, to learn them anew")
    .addOption(adapterOption())
    .addHelpText("after", examples)
    .action(async (part: Part, options: Options) => {
      const {
        out,
        seed,
        batch = null,
        lr = null,
        minutes = null,
        resume = false,
        init = null,
        decoderOnly = false,
        latentNoise = 0,
        firstStage,
        freshPose = false,
        poseRatio,
        silentRatio = null,
        adapter,
      } = options;
      if (decoderOnly && (part !== "vae" || init === null))
        throw new UsageError("--decoder-only: is for `train vae` and needs --init, the folder of the weights to keep");
      if (latentNoise > 0 && part !== "vae") throw new UsageError("--latent-noise: is for `train vae`");
      if (freshPose && (part !== "dit" || init === null))
        throw new UsageError("--fresh-pose: is for `train dit` and needs --init, the folder of the weights to keep");
      if (firstStage > 0 && part !== "dit") throw new UsageError("--first-stage: is for `train dit`");
      checkLosses(options, part);
      const { getDevice } = await import("@omni/core");
      if (adapter !== undefined) await getDevice({ adapter });
      const { DEFAULT_STEPS, train } = await import("../training.ts");
      const steps = options.steps ?? DEFAULT_STEPS[part];
      const given = [
        ...(batch === null ? [] : ["--batch", batch]),
        ...(lr === null ? [] : ["--lr", lr]),
        ...(init === null ? [] : ["--init", init]),
        ...(decoderOnly ? ["--decoder-only"] : []),
        ...(latentNoise > 0 ? ["--latent-noise", latentNoise] : []),
        ...givenLosses(options),
        ...(firstStage > 0 ? ["--first-stage", firstStage] : []),
        ...(freshPose ? ["--fresh-pose"] : []),
        ...(poseRatio === 0.25 ? [] : ["--pose-ratio", poseRatio]),
        ...(silentRatio === null ? [] : ["--silent-ratio", silentRatio]),
      ];
      const record = ["omni train", part, "--steps", steps, "--seed", seed, ...given].join(" ");
      const path = await train(
        {
          part,
          out,
          steps,
          seed,
          batch,
          lr,
          minutes,
          resume,
          init,
          decoderOnly,
          latentNoise,
          firstStage,
          freshPose,
          poseRatio,
          silentRatio,
          losses: options,
          command: record,
        },
        context,
      );
      print(context, `${path}: written`);
    });
}
