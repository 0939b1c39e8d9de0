import { parseArgs } from "node:util";
import { getDevice, type AdapterChoice } from "@omni/core";
import { cases } from "./cases.ts";

const help = `npm run bench -- [options]

Times the kernels of @omni/core through its public API: rounds of all cases in turn, every second round backwards, medians.

  --ops TEXT        only cases whose name holds TEXT
  --rounds N        timed rounds (default 7)
  --adapter NAME    auto, system or software (default auto)
  --json            one JSON object a line instead of a table`;

const { values } = parseArgs({
  options: {
    ops: { type: "string" },
    rounds: { type: "string", default: "7" },
    adapter: { type: "string", default: "auto" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(`${help}\n`);
  process.exit(0);
}
const adapters: readonly string[] = ["auto", "system", "software"];
const rounds = Number(values.rounds);
if (!adapters.includes(values.adapter) || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write("bench: --adapter must be auto, system or software and --rounds a whole number of at least 1\n");
  process.exit(2);
}
const device = await getDevice({ adapter: values.adapter as AdapterChoice });
process.stderr.write(`${device.description}\n`);

const chosen = cases.filter((c) => c.name.includes(values.ops ?? ""));
const runs = [];
for (const c of chosen) {
  const work = await c.prepare();
  const started = performance.now();
  await work();
  await device.finished();
  runs.push({ ...c, work, cold: performance.now() - started, times: [] as number[] });
  await work();
  process.stderr.write(`warm: ${c.name}\n`);
}
for (let round = 0; round < rounds; round++)
  for (const run of round % 2 === 0 ? runs : runs.toReversed()) {
    await device.finished();
    const started = performance.now();
    await run.work();
    await device.finished();
    run.times.push(performance.now() - started);
  }

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
if (!values.json) {
  process.stdout.write(`Adapter: ${device.adapterName}; Node ${process.version}; median of ${rounds}.\n\n`);
  process.stdout.write("| work | first call, ms | median, ms | rate |\n|---|---|---|---|\n");
}
for (const { name, flops, bytes, cold, times } of runs) {
  const ms = median(times);
  const rate =
    flops !== null
      ? `${(flops / ms / 1e6).toFixed(1)} GFLOP/s`
      : bytes !== null
        ? `${(bytes / ms / 1e6).toFixed(1)} GB/s`
        : "–";
  const line = values.json
    ? JSON.stringify({ name, cold, median: ms, times, flops, bytes, adapter: device.adapterName })
    : `| ${name} | ${cold.toFixed(0)} | ${ms.toFixed(1)} | ${rate} |`;
  process.stdout.write(`${line}\n`);
}
process.exit(0);
