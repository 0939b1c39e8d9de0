import type { AdapterChoice } from "@omni/core";
import type { FrameSize } from "@omni/human";
import { Command, Option } from "commander";
import { animate } from "../animate.ts";
import type { Context } from "../context.ts";
import { print } from "../context.ts";
import { UsageError } from "../failure.ts";
import { adapterOption, amount, count, frameSize, index, positive } from "../options.ts";
import { duration } from "../progress.ts";

interface Options {
  readonly image?: string;
  readonly out?: string;
  readonly audio?: string;
  readonly text?: string;
  readonly pose?: string;
  readonly seconds?: number;
  readonly steps?: number;
  readonly guidance?: number;
  readonly seed: number;
  readonly size?: FrameSize;
  readonly fit: "crop" | "pad";
  readonly weights?: string;
  readonly int8: "keep" | "widen";
  readonly adapter?: AdapterChoice;
  readonly log?: string;
}

const examples = `
Examples:
  omni animate --image me.jpg --audio speech.wav --out me.mp4
  omni animate --image me.jpg --audio song.mp3 --text "a woman singing" --seconds 10 --out me.webm
  omni animate --image me.jpg --pose dance.json --out me.mp4          (keypoints: omni pose --help)
  omni animate --image me.jpg --audio speech.wav --size 48x80 --seed 7 --steps 16 --out me.mp4

Sound drives mouth and gestures; a pose drives arms and head; with both, both do. More steps are slower and a little
cleaner. A higher guidance moves the mouth more, a lower one keeps the picture calmer.`;

/** `omni animate`: a picture and any of sound, pose and text become a video. */
export function animateCommand(context: Context): Command {
  return new Command("animate")
    .description("turn a picture and a recording into a video of that person talking")
    .option("--image <file>", "the person: PNG, JPEG, WebP, GIF, AVIF, TIFF, BMP")
    .option("--audio <file>", "speech or song: WAV, MP3, M4A, OGG, FLAC, or a video's sound")
    .option("--text <caption>", 'what is to be seen, such as "a man waving"')
    .option("--pose <file>", "keypoints that drive head and arms: omni pose makes them; or OpenPose's JSON")
    .option("--out <file>", "the video to write: .mp4 or .webm")
    .option("--seconds <n>", "length; default: that of the sound", positive)
    .option("--steps <n>", "sampling steps a segment; default: the model's", count)
    .option("--guidance <g>", "how strongly sound and text steer; default: the model's", amount)
    .option("--seed <n>", "another seed, another performance", index, 0)
    .option("--size <WxH>", "size that the model works at, multiples of 16; default: by the picture's shape", frameSize)
    .addOption(
      new Option("--fit <how>", "a picture of another shape is cut, or gets a border")
        .choices(["crop", "pad"])
        .default("crop"),
    )
    .option("--weights <folder>", "other weights than those that ship")
    .addOption(
      new Option("--int8 <how>", "int8 weights (omni convert --dtype int8) stay so on the device, or become f32")
        .choices(["keep", "widen"])
        .default("widen"),
    )
    .addOption(adapterOption())
    .option("--log <file>", "write a log of one JSON object a line")
    .addHelpText("after", examples)
    .action(async (options: Options) => {
      const { image, out } = options;
      if (image === undefined) throw new UsageError("give the picture with --image, such as --image me.jpg");
      if (out === undefined) throw new UsageError("say with --out where the video goes, such as --out me.mp4");
      const { audio = null, text = null, pose = null, seconds = null, steps = null, guidance = null } = options;
      const { size = null, weights = null, adapter = null, log = null } = options;
      if (audio === null && text === null && pose === null)
        throw new UsageError("nothing drives the picture: give --audio, --pose or --text");
      const request = {
        ...options,
        image,
        out,
        audio,
        text,
        pose,
        seconds,
        steps,
        guidance,
        size,
        weights,
        adapter,
        log,
      };
      const made = await animate(request, context);
      const sound = audio === null ? "without sound" : "with sound";
      print(
        context,
        `${out}: ${made.seconds.toFixed(2)} s, ${made.width}×${made.height} pixels, ${sound}; made in ${duration(made.elapsed)}`,
      );
    });
}
