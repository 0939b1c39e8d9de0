import type { Device } from "@omni/core";
import { copyCeiling } from "../ceilings/copy.ts";
import { fmaCeiling } from "../ceilings/fma.ts";
import { type ContenderId, FLOAT64 } from "../contenders/contender.ts";
import type { PeerModules } from "../contenders/peer-modules.ts";
import { RawGpu } from "../contenders/raw/raw-gpu.ts";
import { starters } from "../contenders/start.ts";
import { type Timed, timeOnce, timeRounds } from "../measure/rounds.ts";
import { catalog } from "../ops/catalog.ts";
import type { CellJob, Tell } from "./events.ts";
import { GpuCounter, type GpuUse } from "./gpu-counter.ts";
import { prepare, type Ready, taskOf, warmUp } from "./prepare.ts";

/** Where a cell runs. */
export interface CellHost {
  readonly device: Device;
  readonly modules: PeerModules;
}

/** What a contender asks of WebGPU. */
async function useOf(counter: GpuCounter, { work }: Ready): Promise<GpuUse> {
  counter.take();
  await timeOnce(work, 0);
  return { counts: counter.take(), peakBytes: counter.peakBytes };
}

/**
 * Measures one op: starts the contenders, checks their answers, then times those that are right in interleaved rounds together with the
 * adapter's ceilings.
 */
export async function runCell(job: CellJob, host: CellHost, tell: Tell): Promise<void> {
  const { device, modules } = host;
  const op = catalog.find(({ id }) => id === job.op);
  if (!op) throw new Error(`bench: no op is called ${job.op}`);
  const raw = await RawGpu.open(device.traits);
  const start = starters(device, raw, modules);
  const task = taskOf(op, job.sizes);
  const ready: Ready[] = [];
  const uses = new Map<ContenderId, GpuUse>();
  for (const id of job.contenders) {
    tell({ type: "at", contender: id, doing: "preparing" });
    const result = await attempt(id, async () => {
      const started = await start[id]();
      const counter = started.gpu && new GpuCounter(started.gpu);
      const prepared = await prepare(id, started, task);
      // before others take memory of the same device
      if (counter && "work" in prepared) uses.set(id, await useOf(counter, prepared));
      return prepared;
    });
    if ("work" in result) ready.push(result);
    else tell({ type: "result", result });
  }
  tell({ type: "at", contender: "ceilings", doing: "preparing" });
  const [fma, copy] = [fmaCeiling(raw), copyCeiling(raw)];
  const ceilings: Timed[] = [];
  for (const { work } of [fma, copy]) ceilings.push({ ...work, repeats: await warmUp(work) });
  const timed = [...ready.map(({ work, repeats }) => ({ ...work, repeats })), ...ceilings];
  const times = await timeRounds(timed, {
    ...job,
    onTurn: (index) => tell({ type: "at", contender: ready[index]?.id ?? "ceilings", doing: "timing" }),
  });
  for (const [i, { id, version, cold, error, repeats }] of ready.entries())
    tell({ type: "result", result: { id, version, status: "timed", cold, error, repeats, times: times[i] ?? [] } });
  tell({
    type: "done",
    flops: task.flops,
    bytes: task.bytes,
    ceilings: {
      fma: { amount: fma.flops, times: times[ready.length] ?? [] },
      copy: { amount: copy.bytes, times: times[ready.length + 1] ?? [] },
    },
    checked: ready[0]?.work.reference?.how ?? FLOAT64,
    counts: uses.get("ours")?.counts ?? null,
    peakBytes: uses.get("ours")?.peakBytes ?? 0,
    before: uses.get("before") ?? null,
  });
}

type Failed = { readonly id: ContenderId; readonly version: string; readonly status: "failed"; readonly cause: string };

/** A contender's failure is its result. */
async function attempt<T>(id: ContenderId, run: () => Promise<T>): Promise<T | Failed> {
  try {
    return await run();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { id, version: "", status: "failed", cause: cause.split("\n")[0] ?? "" };
  }
}
