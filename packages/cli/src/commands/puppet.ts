import { extname } from "node:path";
import type { FrameSize } from "@omni/human";
import { framings } from "@omni/puppet";
import type { Framing, Split } from "@omni/puppet";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { print } from "../context.ts";
import { UsageError } from "../failure.ts";
import { count, frameSize, positive, seedList } from "../options.ts";
import { writePuppetClip, writePuppetSheet } from "../puppet-clip.ts";

interface Options {
  readonly out?: string;
  readonly seeds: readonly number[];
  readonly size: FrameSize;
  readonly moments: number;
  readonly seconds: number;
  readonly framing?: Framing;
  readonly split: Split;
}

const FPS = 12.5;

const examples = `
Examples:
  omni puppet --seeds 0-63 --out sheet.png                        64 people side by side
  omni puppet --seeds 3,5 --moments 8 --size 256x256 --out two.png  two people at 8 moments
  omni puppet --seeds 3 --seconds 4 --size 256x256 --out one.mp4    one person speaking`;

/** `omni puppet`: looks at the training data. */
export function puppetCommand(context: Context): Command {
  return new Command("puppet")
    .description("draw the cartoon people that the nano model is trained on")
    .option("--out <file>", "a contact sheet (.png, .jpg, .webp) or a clip with speech (.mp4, .webm)")
    .option("--seeds <list>", "whom to draw", seedList, [0])
    .option("--size <WxH>", "of a frame", frameSize, { width: 64, height: 64 })
    .option("--moments <n>", "frames of each person on a sheet", count, 1)
    .option("--seconds <n>", "length of a clip", positive, 4)
    .addOption(new Option("--framing <kind>", "how much of the person is seen; default: drawn").choices(framings))
    .addOption(new Option("--split <name>", "training or held-out people").choices(["train", "test"]).default("train"))
    .addHelpText("after", examples)
    .action(async ({ out, seeds, size, moments, seconds, framing, split }: Options) => {
      if (out === undefined) throw new UsageError("say with --out what to write, such as --out sheet.png");
      const options = { ...size, fps: FPS, split, ...(framing && { framing }) };
      if (![".mp4", ".webm"].includes(extname(out).toLowerCase())) {
        await writePuppetSheet(out, seeds, { ...options, moments });
        return print(context, `${out}: ${seeds.length} people`);
      }
      const [seed, ...others] = seeds;
      if (seed === undefined || others.length > 0) throw new UsageError("a clip shows one person: give one seed");
      const frames = Math.max(1, Math.round(seconds * FPS));
      print(
        context,
        `${out}: ${await writePuppetClip(out, seed, { ...options, frames, lipSyncRate: 1, silentRate: 0 })}`,
      );
    });
}
