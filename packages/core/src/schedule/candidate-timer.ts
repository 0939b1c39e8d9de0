import { DeviceError } from "../base/errors.ts";
import type { Binding, Program } from "../kernels/kernel.ts";
import { BUFFER_USAGE } from "../runtime/buffer-usage.ts";
import type { Device } from "../runtime/device.ts";
import type { Pipeline } from "../runtime/pipeline-cache.ts";
import { Profiler } from "../runtime/profiler.ts";
import type { Tunable } from "./spec.ts";

/** A timing takes about as long, ms: shorter kernels run several times. */
const BATCH = 4;
const MAX_REPEATS = 64;
/** Bytes of a small number in every type that a kernel reads: 0.0115 in f32 and bf16, 1.06 in f16, 60 in 8 bits. */
const FILL = 0x3c;
const FILL_STEP = 2 ** 20;
/** Shorter waits are not worth a timer, ms. */
const SHORT_WAIT = 5;

/** Runs candidates of one kernel on buffers of their own. */
export interface CandidateTimer {
  /** Milliseconds of a batch; every candidate's is as many runs. Infinity where it does not compile. */
  readonly time: (index: number) => Promise<number>;
  readonly destroy: () => void;
}

interface Dispatch {
  readonly pipeline: Pipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Compiles the programs and prepares to run them.
 *
 * @throws DeviceError (out-of-memory) where the buffers do not fit
 */
export async function candidateTimer(
  device: Device,
  { inputs, outputs }: Tunable,
  programs: readonly Program[],
): Promise<CandidateTimer> {
  const taken: GPUBuffer[] = [];
  const uniforms: GPUBuffer[] = [];
  const profiler = device.gpu.features.has("timestamp-query") ? new Profiler(device) : null;
  const destroy = (): void => {
    for (const buffer of taken) device.pool.release(buffer);
    for (const buffer of uniforms) buffer.destroy();
    profiler?.destroy();
  };
  const take = (bytes: number): GPUBuffer => {
    const buffer = device.pool.acquire(Math.max(16, Math.ceil(bytes / 16) * 16));
    taken.push(buffer);
    return buffer;
  };
  try {
    const filler = new Uint8Array(FILL_STEP).fill(FILL);
    const buffers = {
      input: inputs.map((bytes) => {
        const buffer = take(bytes);
        const size = Math.ceil(bytes / 16) * 16;
        for (let at = 0; at < size; at += FILL_STEP)
          device.write(buffer, at, filler.subarray(0, Math.min(FILL_STEP, size - at)));
        return buffer;
      }),
      output: outputs.map(take),
      scratch: Array.from({ length: Math.max(...programs.map(({ scratch }) => scratch.length)) }, (_, i) =>
        take(Math.max(...programs.map(({ scratch }) => scratch[i] ?? 0))),
      ),
    };
    const bytesOf = ({ buffer }: Binding, program: Program): number =>
      (buffer.kind === "input" ? inputs : buffer.kind === "output" ? outputs : program.scratch)[buffer.index] ?? 0;
    const prepared = await Promise.all(programs.map((program) => dispatchesOf(program)));
    let repeats = 0;
    const lasting: number[] = [];
    return {
      destroy,
      time: async (index) => {
        const dispatches = prepared[index];
        if (!dispatches) return Infinity;
        if (lasting[index] === undefined) await run(dispatches, 1, 0);
        if (repeats === 0) {
          const once = await run(dispatches, 1, 0);
          repeats = Math.max(1, Math.min(MAX_REPEATS, Math.ceil(BATCH / once)));
        }
        return (lasting[index] = await run(dispatches, repeats, lasting[index] ?? 0));
      },
    };

    async function dispatchesOf(program: Program): Promise<Dispatch[] | null> {
      try {
        return await Promise.all(
          program.launches.map(async (launch) => {
            const pipeline = await device.pipelines.getPipeline(
              launch.wgsl,
              launch.bindings.map(({ access }) => access),
              launch.uniforms.length > 0,
              launch.label,
            );
            const entries: GPUBindGroupEntry[] = launch.bindings.map((binding, at) => {
              const { buffer } = binding;
              const found = buffers[buffer.kind][buffer.index];
              if (!found) throw new Error(`autotune: ${launch.label} names a buffer that is not there`);
              const size = Math.max(16, Math.ceil(bytesOf(binding, program) / 16) * 16);
              return { binding: at, resource: { buffer: found, size } };
            });
            if (launch.uniforms.length > 0) {
              const size = Math.ceil(launch.uniforms.byteLength / 16) * 16;
              const usage = BUFFER_USAGE.UNIFORM | BUFFER_USAGE.COPY_DST;
              const buffer = device.gpu.createBuffer({ size, usage, label: "autotune" });
              uniforms.push(buffer);
              device.write(buffer, 0, launch.uniforms);
              entries.push({ binding: entries.length, resource: { buffer } });
            }
            const group = device.gpu.createBindGroup({ layout: pipeline.layout, entries });
            return { pipeline, group, workgroups: launch.workgroups };
          }),
        );
      } catch (error) {
        if (error instanceof DeviceError && error.kind === "compile") return null;
        throw error;
      }
    }
  } catch (error) {
    destroy();
    throw error;
  }

  /** @param expected milliseconds that it will take; 0 where that is not known */
  async function run(dispatches: readonly Dispatch[], times: number, expected: number): Promise<number> {
    const timestampWrites = profiler?.next("autotune");
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
    for (let i = 0; i < times; i++)
      for (const { pipeline, group, workgroups } of dispatches) {
        pass.setPipeline(pipeline.pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
      }
    pass.end();
    const submitted = performance.now();
    device.submit([encoder.finish()]);
    // a promise of Dawn's that is open takes a core from software adapters
    if (device.traits.software && expected > SHORT_WAIT)
      await new Promise((resolve) => setTimeout(resolve, 0.85 * expected));
    await device.finished();
    const seen = performance.now() - submitted;
    const [timing] = (await profiler?.read()) ?? [];
    return Math.max(1e-3, timing?.milliseconds ?? seen);
  }
}
