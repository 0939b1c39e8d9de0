/**
 * Damages checkpoints at random and opens them: `npm run fuzz -- [--runs 1000000] [--seed 1]`. Fails where one ends otherwise than
 * in tensors or a CheckpointError, takes longer than five seconds of this process's time, stops for a minute, or where memory grows.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { HOSTILE, openHostile } from "../packages/core/src/checkpoint/hostile.fixture.ts";
import { diceOf } from "../packages/core/src/checkpoint/mutate.fixture.ts";

const MIB = 2 ** 20;
const MOST_GROWTH = 16 * MIB;
const MOST_SECONDS = 5;
const SAMPLES = 20;
const WORTH_REPEATING = 0.02;

const { values } = parseArgs({ options: { runs: { type: "string" }, seed: { type: "string" } } });
const runs = Number(values.runs ?? 1_000_000);
const seed = Number(values.seed ?? 1);

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

/** Bytes that are in use once garbage is gone. */
function usedBytes(): number {
  if (typeof collect === "function") collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function ownSeconds(input: Uint8Array): Promise<number> {
  const before = process.cpuUsage();
  await openHostile(input);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

// A loop without end would never come back to say so: a thread beside it ends the process.
const progress = new Int32Array(new SharedArrayBuffer(4));
const watchdog = new Worker(
  `const { workerData } = require("node:worker_threads");
  let last = -1;
  setInterval(() => {
    const now = Atomics.load(workerData, 0);
    if (now === last) {
      require("node:fs").writeSync(2, "input " + now + " has not ended for a minute\\n");
      process.kill(process.pid, "SIGKILL");
    }
    last = now;
  }, 60000);`,
  { eval: true, workerData: progress },
);
watchdog.unref();

// A refusal without its trace is several times faster.
Error.stackTraceLimit = 0;

const kinds = Object.entries(HOSTILE);
const counts = new Map(kinds.map(([name]) => [name, { read: 0, refused: 0 }]));
let slowest = 0;
let slowestInput = "";
const used: number[] = [];
const started = performance.now();

for (let i = 0; i < runs; i++) {
  Atomics.store(progress, 0, i);
  const [name, damage] = kinds[i % kinds.length] ?? [];
  if (name === undefined || damage === undefined) continue;
  const input = damage(diceOf(seed * 0x9e3779b1 + i));
  const begun = performance.now();
  try {
    const count = counts.get(name);
    const outcome = await openHostile(input);
    if (count !== undefined) count[outcome]++;
  } catch (error) {
    console.error(`input ${i} of seed ${seed}, a damaged ${name}, ended in\n`, error);
    console.error(Buffer.from(input).toString("base64"));
    process.exit(1);
  }
  let seconds = (performance.now() - begun) / 1000;
  // Others' work may have come between: what seems slow runs again, by this process's own time.
  if (seconds > Math.max(slowest, WORTH_REPEATING)) seconds = Math.min(seconds, await ownSeconds(input));
  if (seconds > slowest) {
    slowest = seconds;
    slowestInput = `input ${i}, a damaged ${name}`;
  }
  if ((i + 1) % Math.ceil(runs / SAMPLES) === 0) {
    used.push(usedBytes());
    const rate = Math.round((i + 1) / ((performance.now() - started) / 1000));
    console.log(`${i + 1} inputs, ${rate}/s, ${((used.at(-1) ?? 0) / MIB).toFixed(1)} MiB in use`);
  }
}

const seconds = (performance.now() - started) / 1000;
console.table(Object.fromEntries(counts));
console.log(`${runs} inputs of seed ${seed} in ${seconds.toFixed(0)} s: ${Math.round(runs / seconds)}/s`);
console.log(`slowest: ${(slowest * 1000).toFixed(0)} ms (${slowestInput})`);
const [first = 0] = used;
const growth = (used.at(-1) ?? first) - first;
const rss = process.resourceUsage().maxRSS / 1024;
console.log(`memory in use grew by ${(growth / MIB).toFixed(1)} MiB, at most ${rss.toFixed(0)} MiB resident`);
if (growth > MOST_GROWTH || slowest > MOST_SECONDS) process.exit(1);
process.exit(0);
