import { parseArgs } from "node:util";
import { closeDevice, getDevice, type AdapterChoice } from "@omni/core";
import { folderFiles } from "./folder-files.ts";
import { runElsewhere } from "./run-elsewhere.ts";
import { runSet } from "./run-set.ts";
import { describeFailure, Summary } from "./summary.ts";
import type { CaseFiles, CaseResult } from "./types.ts";

const help = `npm run conformance -- DIR [options]

Runs the reference cases of a folder against this engine, and prints the failures, a table by group and the counts.

  --group A,B,…     groups, or the first parts of their names (default: all)
  --runtime NAME    node, chromium, bun, deno, or deno-wgpu: Deno without Dawn (default: the one that runs this)
  --adapter NAME    auto, system or software (default auto; not in Chromium)
  --json            one JSON object a case instead of the failures

Exit code 0: nothing failed; 1: something did; 2: it could not run.`;

const ADAPTERS: readonly string[] = ["auto", "system", "software"];
const OTHER_RUNTIMES: readonly string[] = ["bun", "deno", "deno-wgpu"];
const RUNTIMES: readonly string[] = ["node", "chromium", ...OTHER_RUNTIMES];

type Report = (group: string, result: CaseResult) => void;

async function runHere(
  files: CaseFiles,
  groups: readonly string[] | undefined,
  adapter: AdapterChoice,
  report: Report,
): Promise<string> {
  const device = await getDevice({ adapter });
  process.stderr.write(`${device.description}\n`);
  await runSet(files, { ...(groups && { groups }), report });
  await closeDevice();
  return `${runningIn()}${device.adapterName}`;
}

function runningIn(): string {
  const { versions } = process;
  if (versions["bun"] !== undefined) return `Bun ${versions["bun"]}, `;
  return versions["deno"] === undefined ? "" : `Deno ${versions["deno"]}, `;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      group: { type: "string" },
      runtime: { type: "string" },
      adapter: { type: "string", default: "auto" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const [folder] = positionals;
  const { runtime } = values;
  if (!folder || !ADAPTERS.includes(values.adapter) || (runtime !== undefined && !RUNTIMES.includes(runtime))) {
    process.stderr.write(
      `conformance: needs a folder; --adapter must be ${ADAPTERS.join(", ")}, --runtime ${RUNTIMES.join(" or ")}; see --help\n`,
    );
    return 2;
  }
  if (runtime !== undefined && OTHER_RUNTIMES.includes(runtime)) return runElsewhere(runtime, process.argv.slice(2));
  const summary = new Summary();
  const report: Report = (group, result) => {
    summary.add(group, result);
    if (values.json) process.stdout.write(`${JSON.stringify({ group, ...result })}\n`);
    else if (result.status === "failed") process.stdout.write(`${describeFailure(group, result)}\n`);
  };
  const groups = values.group?.split(",");
  const files = folderFiles(folder);
  const adapter =
    runtime === "chromium"
      ? `Chromium, ${await (await import("./chromium.ts")).runInChromium(files, groups, report)}`
      : await runHere(files, groups, values.adapter as AdapterChoice, report);
  if (!values.json) process.stdout.write(`\n${adapter}\n\n${summary.table()}\n\n`);
  process.stdout.write(`${summary.line()}\n`);
  return summary.total("failed") > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
