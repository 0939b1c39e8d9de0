import { readFile, writeFile } from "node:fs/promises";
import type { AdapterChoice } from "@omni/core";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { note, print } from "../context.ts";
import { UsageError } from "../failure.ts";
import { adapterOption, count, index, positive } from "../options.ts";
import { Progress } from "../progress.ts";

interface Options {
  readonly people: number;
  readonly seed: number;
  readonly steps?: number;
  readonly guidance?: number;
  readonly weights?: string;
  readonly readme?: string;
  readonly adapter?: AdapterChoice;
}

/** `omni eval:nano`: how well a nano model does on people and speech that it has never met. */
export function evalNanoCommand(context: Context): Command {
  return new Command("eval:nano")
    .description("measure the nano model on held-out people and speech, beside its controls")
    .option("--people <n>", "held-out people", count, 20)
    .option("--seed <n>", "of people, speech and noise", index, 0)
    .option("--steps <n>", "solver steps a segment; default: the model's own", count)
    .option("--guidance <scale>", "guidance at the first step; default: the model's own", positive)
    .option("--weights <folder>", "another model's weights; default: those that ship")
    .option("--readme <file>", "put the table between the marks of this file")
    .addOption(adapterOption())
    .action(async ({ people, seed, steps, guidance, weights, readme, adapter }: Options) => {
      const { getDevice } = await import("@omni/core");
      const device = await getDevice(adapter === undefined ? {} : { adapter });
      note(context, device.description);
      const [{ evalNano }, { evalTable, withTable }] = await Promise.all([
        import("../eval/eval-nano.ts"),
        import("../eval/eval-table.ts"),
      ]);
      const model = await context.loadModel(weights ?? null);
      const progress = new Progress(context, "evaluating");
      const result = await evalNano(model, {
        people,
        seed,
        signal: context.signal,
        onProgress: (fraction, detail) => progress.update(fraction, detail),
        ...(steps !== undefined && { steps }),
        ...(guidance !== undefined && { guidance }),
      }).finally(() => progress.stop());
      const settings = [
        `--people ${people}`,
        `--seed ${seed}`,
        ...(steps ? [`--steps ${steps}`] : []),
        ...(guidance ? [`--guidance ${guidance}`] : []),
      ];
      const table = evalTable(
        result,
        `Made by \`npm run eval:nano -- ${settings.join(" ")}\` on ${device.adapterName}.`,
      );
      print(context, table);
      if (readme === undefined) return;
      const text = withTable(await readFile(readme, "utf8"), table);
      if (text === null)
        throw new UsageError(`${readme}: must hold the marks <!-- eval:nano --> and <!-- /eval:nano -->; add them`);
      await writeFile(readme, text);
      note(context, `${readme}: the table is in place`);
    });
}
