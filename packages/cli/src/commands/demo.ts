import type { AdapterChoice } from "@omni/core";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { print } from "../context.ts";
import { demo } from "../demo.ts";
import { adapterOption, count, index, positive } from "../options.ts";
import { duration } from "../progress.ts";

interface Options {
  readonly out: string;
  readonly seed: number;
  readonly steps?: number;
  readonly seconds?: number;
  readonly weights?: string;
  readonly adapter?: AdapterChoice;
}

/** `omni demo`: the bundled drawing says the bundled sentences. */
export function demoCommand(context: Context): Command {
  return new Command("demo")
    .description("animate the bundled drawing with the bundled speech")
    .option("--out <folder>", "where demo.mp4 and demo.png go", "out")
    .option("--seconds <n>", "only the first seconds", positive)
    .option("--steps <n>", "sampling steps a segment; default: the model's", count)
    .option("--seed <n>", "another seed, another performance", index, 0)
    .option("--weights <folder>", "other weights than those that ship")
    .addOption(adapterOption())
    .action(async ({ out, ...choices }: Options) => {
      const made = await demo(out, choices, context);
      print(context, `${made.video}  ${made.seconds.toFixed(2)} s with sound, made in ${duration(made.elapsed)}`);
      print(context, `${made.sheet}  frames of it side by side`);
      print(context, "");
      print(context, "With your own files:");
      print(context, "  npm run omni -- animate --image person.jpg --audio speech.wav --out person.mp4");
    });
}
