import { Command } from "commander";
import { animateCommand } from "./commands/animate.ts";
import { convertCommand } from "./commands/convert.ts";
import { demoCommand } from "./commands/demo.ts";
import { evalNanoCommand } from "./commands/eval-nano.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { planCommand } from "./commands/plan.ts";
import { poseCommand } from "./commands/pose.ts";
import { puppetCommand } from "./commands/puppet.ts";
import { trainCommand } from "./commands/train.ts";
import { note } from "./context.ts";
import type { Context } from "./context.ts";
import { endingOf } from "./failure.ts";

const examples = `
Start here:
  omni demo                                                      a drawing talks: out/demo.mp4
  omni animate --image me.jpg --audio speech.wav --out me.mp4    your own picture and recording
  omni pose dance.mp4 --out dance.json                           keypoints that --pose of animate takes
  omni puppet --seeds 0-63 --out sheet.png                       what the model was trained on
  omni train dit --help                                          train it yourself

"omni COMMAND --help" explains a command. In a clone, "npm run omni --" stands for "omni".
OMNI_AUTOTUNE=tune in the environment times kernels on this adapter and keeps the fastest; OMNI_AUTOTUNE=1 uses what was kept.
Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C.`;

/**
 * Runs the command line.
 *
 * @param args without the program's own name
 * @returns the exit code; the reason of a failure is one line on standard error
 */
export async function run(args: readonly string[], context: Context): Promise<number> {
  try {
    await program(context).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    const { code, line } = endingOf(error);
    if (line !== null) note(context, `omni: ${line}`);
    if (code === 1 && process.env["OMNI_DEBUG"] && error instanceof Error) note(context, error.stack ?? "");
    return code;
  }
}

function program(context: Context): Command {
  const omni = new Command("omni")
    .description("OmniHuman: a picture and a recording become a talking person")
    .addHelpText("after", examples);
  const commands = [
    demoCommand(context),
    animateCommand(context),
    poseCommand(context),
    trainCommand(context),
    evalNanoCommand(context),
    puppetCommand(context),
    inspectCommand(context),
    convertCommand(context),
    planCommand(context),
  ];
  for (const command of commands) omni.addCommand(command);
  for (const command of [omni, ...commands])
    command.exitOverride().configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // `run` prints errors, in one line
      outputError: () => undefined,
    });
  return omni;
}
