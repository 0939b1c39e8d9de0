import { desktopTraits, getDevice } from "@omni/core";
import type { AdapterChoice } from "@omni/core";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Context } from "../context.ts";
import { note, print } from "../context.ts";
import { UsageError } from "../failure.ts";
import { adapterOption, amount, count, fileSize } from "../options.ts";
import type { Plan, PlanAdapter } from "../plan/plan.ts";
import type { PlanPreset } from "../plan/presets.ts";
import { Progress, duration } from "../progress.ts";
import { amountText, bytesText, textTable } from "../text-table.ts";

interface Options {
  readonly preset?: string;
  readonly size?: { readonly width: number; readonly height: number };
  readonly seconds?: number;
  readonly steps?: number;
  readonly dtype: "f32" | "f16" | "bf16";
  readonly memory?: number;
  readonly measure: boolean;
  readonly adapter?: AdapterChoice;
  readonly json?: boolean;
}

const help = `
Presets:
  nano, small, base, seaweed-8b                       the whole system: denoiser, encoders, autoencoder
  wan-1.3b, wan-14b, sd3-medium, wan-vae, umt5-xxl,   public layouts
  wav2vec2-base, wav2vec2-large

Examples:
  omni plan --preset seaweed-8b --size 720x1280 --seconds 10     what the paper's model would take here
  omni plan --preset wan-1.3b --dtype bf16 --memory 24GB         does it fit a card of 24 GB?
  omni plan --preset nano --no-measure --json | jq .phases       without opening an adapter

The whole system decodes and encodes frames as omni animate would on such an adapter: whole, one latent frame after the
other, or in tiles too.

Nothing is allocated: networks are built of meta tensors, and the planner that runs them counts kernels, lifetimes and
bindings. Times are of products, convolutions and attention alone, at speeds that are measured first (a few seconds);
--no-measure plans for a usual graphics card instead. A GPU does not tell its memory: give it with --memory.`;

/** "720x1280": width and height in pixels. */
function planSize(text: string): { width: number; height: number } {
  const [, width = 0, height = 0] = (/^(\d+)[x×](\d+)$/.exec(text.trim()) ?? []).map(Number);
  const fits = (side: number): boolean => side > 0 && side <= 8192 && side % 16 === 0;
  if (!fits(width) || !fits(height))
    throw new InvalidArgumentError("It must be WIDTHxHEIGHT in multiples of 16, such as 720x1280.");
  return { width, height };
}

/** `omni plan`: what a network of any size would take, without running it. */
export function planCommand(context: Context): Command {
  return new Command("plan")
    .description("tell parameters, operations, memory and time of a network of any size, without running it")
    .option("--preset <name>", "what to plan; see below")
    .option("--size <WxH>", "of a frame, pixels; default: the preset's", planSize)
    .option("--seconds <n>", "of video or sound; default: the preset's", amount)
    .option("--steps <n>", "sampling steps; default: the preset's", count)
    .addOption(
      new Option("--dtype <type>", "of the weights on the device").choices(["f32", "f16", "bf16"]).default("f32"),
    )
    .option(
      "--memory <size>",
      "what the device has, such as 24GB; default: unknown, on software adapters half the host's",
      fileSize,
    )
    .option("--no-measure", "plan for a usual graphics card, without times")
    .addOption(adapterOption())
    .option("--json", "as one JSON object")
    .addHelpText("after", help)
    .action(async (options: Options) => {
      const [{ planPresets, planDefaults }, { planModel }] = await Promise.all([
        import("../plan/presets.ts"),
        import("../plan/plan.ts"),
      ]);
      const { preset, size, seconds, steps = null, dtype, json = false } = options;
      const isPreset = (name: string | undefined): name is PlanPreset =>
        name !== undefined && Object.hasOwn(planPresets, name);
      if (!isPreset(preset))
        throw new UsageError(`--preset must be one of ${Object.keys(planPresets).join(", ")}, got ${preset ?? "none"}`);
      const defaults = planDefaults(preset);
      const adapter = await planAdapter(options, context);
      const progress = new Progress(context, "planning");
      const task = { ...defaults, ...size, seconds: seconds ?? defaults.seconds, steps, dtype };
      const limits = { memory: adapter.memory, binding: adapter.traits.maxStorageBinding };
      const plan = await planModel(planPresets[preset](task, limits), adapter, {
        format: bytesText,
        onPhase: async (fraction, name) => {
          progress.update(fraction, name);
          await new Promise((done) => setImmediate(done));
          context.signal.throwIfAborted();
        },
      }).finally(() => progress.stop());
      if (json) print(context, JSON.stringify({ preset, ...task, ...plan }));
      else for (const line of planLines(preset, dtype, plan)) print(context, line);
    });
}

async function planAdapter({ measure, memory, adapter }: Options, context: Context): Promise<PlanAdapter> {
  if (!measure) {
    const { DESKTOP_BUFFER } = await import("../plan/plan.ts");
    return {
      name: "a usual graphics card",
      traits: desktopTraits,
      maxBuffer: DESKTOP_BUFFER,
      memory: memory ?? null,
      rates: null,
    };
  }
  const device = await getDevice(adapter === undefined ? {} : { adapter });
  note(context, device.description);
  const { measureRates } = await import("../plan/adapter-rates.ts");
  const { budget } = device.pool;
  return {
    name: device.adapterName,
    traits: device.traits,
    maxBuffer: device.gpu.limits.maxBufferSize,
    memory: memory ?? (Number.isFinite(budget) ? budget : null),
    rates: await measureRates(context.signal),
  };
}

function planLines(
  preset: string,
  dtype: string,
  { summary, adapter, parts, weights, phases, seconds, problems }: Plan,
): string[] {
  const timed = seconds !== null;
  const partRows = parts.map(({ name, parameters, bytes, largest }) => [
    name,
    amountText(parameters),
    bytesText(bytes),
    `${largest.name} [${largest.shape.join(", ")}] ${bytesText(largest.bytes)}`,
  ]);
  const total = ["all", amountText(parts.reduce((sum, { parameters }) => sum + parameters, 0)), bytesText(weights), ""];
  const phaseRows = phases.map((phase) => [
    phase.name,
    String(phase.runs),
    amountText(phase.flopsPerRun),
    String(phase.dispatches),
    bytesText(phase.activations),
    bytesText(phase.peak),
    ...(phase.seconds === null
      ? []
      : [`${seconds3(phase.seconds)} × ${phase.runs} = ${longTime(phase.seconds * phase.runs)}`]),
  ]);
  const { rates, memory } = adapter;
  return [
    `${preset}: ${summary}`,
    "",
    ...textTable([["part", "parameters", dtype, "largest tensor"], ...partRows, total], "lrrl"),
    "",
    ...textTable(
      [["phase", "runs", "FLOP a run", "kernels", "beside weights", "peak", ...(timed ? ["time"] : [])], ...phaseRows],
      "lrrrrrr",
    ),
    "",
    ...(rates
      ? [
          `measured on ${adapter.name}: ${(["matmul", "conv", "attention"] as const).map((op) => `${op} ${amountText(rates[op])}FLOP/s`).join(", ")}`,
        ]
      : [`planned for ${adapter.name}; times are not measured`]),
    ...(timed ? [`in all ${longTime(seconds)}, products alone: what moves memory comes on top`] : []),
    `limits: a binding ${bytesText(adapter.traits.maxStorageBinding)}, a buffer ${bytesText(adapter.maxBuffer)}, memory ${memory === null ? "unknown (--memory)" : bytesText(memory)}`,
    ...(problems.length === 0 ? ["all of it fits"] : ["would not fit:", ...problems.map((problem) => `- ${problem}`)]),
  ];
}

const seconds3 = (seconds: number): string => (seconds < 120 ? `${seconds.toPrecision(3)} s` : longTime(seconds));

const DAY = 86_400;
const YEAR = 365.25 * DAY;

function longTime(seconds: number): string {
  if (seconds < 10) return `${seconds.toPrecision(2)} s`;
  if (seconds < 2 * DAY) return duration(seconds);
  return seconds < YEAR ? `${Math.round(seconds / DAY)} days` : `${(seconds / YEAR).toPrecision(3)} years`;
}
