import { writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { catalog } from "./ops/catalog.ts";
import { type BenchOptions, help, parseOptions, UsageError } from "./options.ts";
import { resultOf } from "./record/read-record.ts";
import { htmlReport } from "./report/html.ts";
import { markdownReport } from "./report/markdown.ts";
import { sectionsOf } from "./report/sections.ts";
import { runBench } from "./run-bench.ts";

const INTERRUPTED = 130;

async function bench(options: BenchOptions): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
  const { results, refusals } = await runBench(options, interruption.signal);
  const { records, path } = results;
  const sections = sectionsOf(records);
  const markdown = markdownReport(sections, refusals);
  const folder = dirname(path);
  writeFileSync(join(folder, "report.md"), markdown);
  writeFileSync(join(folder, "report.html"), htmlReport(sections, refusals));
  process.stdout.write(options.json ? records.map((record) => `${JSON.stringify(record)}\n`).join("") : markdown);
  process.stderr.write(`\n${relative(process.cwd(), join(folder, "report.html"))}\n`);
  if (interruption.signal.aborted) {
    process.stderr.write(`Interrupted: ${records.length} ops are kept; the same command with --resume goes on.\n`);
    return INTERRUPTED;
  }
  const failed = records.length === 0 || records.some((record) => resultOf(record, "ours")?.status !== "timed");
  return failed ? 1 : 0;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  if (options === "list") {
    const width = Math.max(...catalog.map(({ id }) => id.length));
    for (const { id, title, on } of catalog)
      process.stdout.write(`${id.padEnd(width)}  ${title}${on === "gpu" ? " (GPUs only)" : ""}\n`);
    return 0;
  }
  return bench(options);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
