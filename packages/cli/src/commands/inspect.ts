import { openCheckpoint } from "@omni/core/checkpoint";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { note, print } from "../context.ts";
import { UsageError } from "../failure.ts";
import type { Inspection } from "../inspect.ts";
import { amountText, bytesText, textTable } from "../text-table.ts";

interface Options {
  readonly json?: boolean;
  readonly stats: boolean;
  readonly all?: boolean;
  readonly match?: string;
}

const examples = `
Examples:
  omni inspect weights.safetensors                       tensors with numbers of a sample of each
  omni inspect checkpoints/                              a folder: its index, or its one file
  omni inspect model.safetensors.index.json --no-stats   a sharded checkpoint, headers only
  omni inspect https://host/model.safetensors            a few ranges of a remote file
  omni inspect hf://facebook/wav2vec2-base-960h          from the hub, through its cache
  omni inspect weights.pth --match attn --json | jq .    a file of torch.save, as JSON
  omni inspect weights.safetensors --all                 reads all values: exit code 2 where one is NaN or infinite

Statistics are of at most 4,096 values a tensor. Remote files are read without them unless --all asks.`;

/** `omni inspect`: what a checkpoint holds. */
export function inspectCommand(context: Context): Command {
  return new Command("inspect")
    .description("show what a checkpoint holds: network, config, tensors, types, sizes, numbers")
    .argument("<source>", "a file, folder, index.json, URL or hf://owner/name/path")
    .option("--json", "as one JSON object")
    .option("--no-stats", "headers only")
    .option("--all", "read every value, and fail where one is not finite")
    .option("--match <text>", "only tensors whose names contain it")
    .addHelpText("after", examples)
    .action(async (source: string, { json = false, stats, all = false, match }: Options) => {
      const { inspectCheckpoint } = await import("../inspect.ts");
      const isRemote = /^(?:https?|hf):/i.test(source);
      const file = await openCheckpoint(source, { quantised: "stored", signal: context.signal });
      try {
        const inspection = await inspectCheckpoint(file, {
          depth: all ? "all" : stats && !isRemote ? "sample" : "none",
          ...(match !== undefined && { wanted: (name: string) => name.includes(match) }),
        });
        if (json) print(context, JSON.stringify(inspection));
        else for (const line of inspectionLines(inspection)) print(context, line);
        const bad = inspection.tensors.filter(({ statistics }) => (statistics?.notFinite ?? 0) > 0);
        const [first] = bad;
        if (first === undefined) return;
        const message = `${source}: ${bad.length} tensors hold NaN or infinity, such as ${first.name}`;
        if (all) throw new UsageError(`${message}; use another checkpoint`);
        note(context, message);
      } finally {
        await file.close();
      }
    });
}

const number = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : "–");

function inspectionLines({ network, problem, tensors, values, bytes, byType, metadata }: Inspection): string[] {
  const withNumbers = tensors.some(({ statistics }) => statistics !== null);
  const head = ["name", "type", "shape", "size", ...(withNumbers ? ["mean", "std", "min", "max", "not finite"] : [])];
  const rows = tensors.map(({ name, dtype, shape, bytes: size, statistics: s }) => [
    name,
    dtype,
    `[${shape.join(", ")}]`,
    bytesText(size),
    ...(withNumbers
      ? s
        ? [...[s.mean, s.std, s.min, s.max].map(number), String(s.notFinite)]
        : ["", "", "", "", ""]
      : []),
  ]);
  const types = Object.entries(byType).map(([dtype, count]) => `${dtype} ${amountText(count)}`);
  const { config: _, ...rest } = metadata;
  return [
    ...textTable([head, ...rows], "lllrrrrrr"),
    `${tensors.length} tensors listed; in all ${values.toLocaleString("en")} values, ${bytesText(bytes)} (${types.join(", ")})`,
    ...(network
      ? [
          `network: ${network.model}${network.layout === null ? "" : `, as ${network.layout}`}`,
          ...Object.entries(network.config ?? {}).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
        ]
      : [problem === null ? "network: none that is known here" : `network: ${problem}`]),
    ...Object.entries(network ? rest : metadata).map(([key, value]) => `${key}: ${value}`),
  ];
}
