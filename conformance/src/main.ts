import { readFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { closeDevice, getDevice, type AdapterChoice } from "@omni/core";
import { runSet } from "./run-set.ts";
import { describeFailure, Summary } from "./summary.ts";
import type { CaseFiles } from "./types.ts";

const help = `npm run conformance -- DIR [options]

Runs the reference cases of a folder against this engine, and prints the failures, a table by group and the counts.

  --group A,B,…     groups, or the first parts of their names (default: all)
  --adapter NAME    auto, system or software (default auto)
  --json            one JSON object a case instead of the failures`;

const ADAPTERS: readonly string[] = ["auto", "system", "software"];

function folderFiles(folder: string): CaseFiles {
  const root = resolve(folder);
  const inside = (path: string): string => {
    const full = join(root, path);
    if (!full.startsWith(root + sep)) throw new Error(`conformance: ${path} must lie in ${root}`);
    return full;
  };
  return {
    bytes: async (path) => new Uint8Array(await readFile(inside(path))),
    text: (path) => readFile(inside(path), "utf8"),
  };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      group: { type: "string" },
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
  if (!folder || !ADAPTERS.includes(values.adapter)) {
    process.stderr.write(`conformance: needs a folder, and --adapter must be ${ADAPTERS.join(", ")}; see --help\n`);
    return 2;
  }
  const device = await getDevice({ adapter: values.adapter as AdapterChoice });
  process.stderr.write(`${device.description}\n`);
  const summary = new Summary();
  const groups = values.group?.split(",");
  await runSet(folderFiles(folder), {
    ...(groups && { groups }),
    report: (group, result) => {
      summary.add(group, result);
      if (values.json) process.stdout.write(`${JSON.stringify({ group, ...result })}\n`);
      else if (result.status === "failed") process.stdout.write(`${describeFailure(group, result)}\n`);
    },
  });
  if (!values.json) process.stdout.write(`\n${device.adapterName}\n\n${summary.table()}\n\n`);
  process.stdout.write(`${summary.line()}\n`);
  await closeDevice();
  return summary.total("failed") > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
