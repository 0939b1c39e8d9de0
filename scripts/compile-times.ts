/**
 * How long does this machine's adapter take to compile the large kernels, with nothing cached?
 * `npx tsx --conditions=@omni/source scripts/compile-times.ts [words of labels]`
 *
 * Seconds by the clock: the machine should be quiet. (The processor's time is about twice that, since Dawn's binding asks for the end in a loop.) Software
 * adapters compile in this process, at a pipeline's creation or at its first dispatch.
 */
import {
  attentionBackwardProgram,
  attentionForwardProgram,
  type AttentionSpec,
} from "../packages/core/src/kernels/attention.ts";
import {
  convForwardProgram,
  convInputGradProgram,
  type ConvSpec,
  convWeightGradProgram,
} from "../packages/core/src/kernels/conv.ts";
import type { DeviceTraits, Launch, Program } from "../packages/core/src/kernels/kernel.ts";
import { matmulProgram, type Operand } from "../packages/core/src/kernels/matmul.ts";
import { BUFFER_USAGE, type Device, getDevice } from "../packages/core/src/runtime/index.ts";

process.env["MESA_SHADER_CACHE_DISABLE"] = "true";

/** What a kernel may take on a quiet machine. */
const LIMIT_SECONDS = 2;

function attention(headDim: number, more: Partial<AttentionSpec>, traits: DeviceTraits): Program[] {
  const [heads, length] = [4, 160];
  const rows = { offset: 0, batchStride: heads * length * headDim, headStride: length * headDim, rowStride: headDim };
  const sizes = { batch: 1, heads, queries: length, keys: length, headDim, scale: 1 };
  const spec = { ...sizes, q: rows, k: rows, v: rows, ...more };
  return [attentionForwardProgram(spec, traits), attentionBackwardProgram({ ...spec, dO: rows }, traits)];
}

/** [m, k] · [k, n], either operand stored by columns where it is transposed. */
function matmul([m, k, n]: readonly [number, number, number], transposed: string, traits: DeviceTraits): Program[] {
  const operand = (rows: number, columns: number, turned: boolean): Operand => ({
    offset: 0,
    batchStrides: [0, 0],
    rowStride: turned ? 1 : columns,
    colStride: turned ? rows : 1,
  });
  const a = operand(m, k, transposed.includes("a"));
  const b = operand(k, n, transposed.includes("b"));
  return [matmulProgram({ m, n, k, batch: [1, 1], a, b }, traits)];
}

function conv(more: Partial<ConvSpec>, traits: DeviceTraits): Program[] {
  const [space, unit] = [[8, 32, 32] as const, [1, 1, 1] as const];
  const sizes = { batch: 1, input: space, output: space, kernel: [3, 3, 3] as const, inChannels: 32, outChannels: 32 };
  const spec: ConvSpec = { ...sizes, stride: unit, padding: unit, dilation: unit, groups: 1, ...more };
  return [convForwardProgram, convInputGradProgram, convWeightGradProgram].map((program) => program(spec, traits));
}

/** Programs by name; kernels whose text came before are left out. */
function programs(traits: DeviceTraits): [string, Program[]][] {
  const mask = { offset: 0, strides: [0, 0, 160, 1] as const };
  const everything = { mask, causal: true, segments: true };
  return [
    ...["", "a", "b", "ab"].flatMap((turned): [string, Program[]][] => [
      [`512 turned ${turned}`, matmul([512, 512, 512], turned, traits)],
      [`odd turned ${turned}`, matmul([333, 129, 517], turned, traits)],
    ]),
    ...[16, 32, 64, 128, 256].map((d): [string, Program[]] => [`head ${d}`, attention(d, {}, traits)]),
    ["head 32, mask, causal, segments", attention(32, everything, traits)],
    ["head 64, mask, causal, segments", attention(64, everything, traits)],
    ["head 81", attention(81, {}, traits)],
    ["head 256, mask, causal, segments", attention(256, everything, traits)],
    ["3×3×3", conv({}, traits)],
    ["3×3×3 by 2", conv({ stride: [2, 2, 2], output: [4, 16, 16] }, traits)],
    ["3×3×3 of odd space", conv({ input: [7, 31, 31], output: [7, 31, 31], inChannels: 36, outChannels: 20 }, traits)],
    ["3×3×3 of odd channels", conv({ inChannels: 3, outChannels: 30 }, traits)],
  ];
}

async function compile(device: Device, launch: Launch): Promise<number> {
  const began = performance.now();
  const accesses = launch.bindings.map(({ access }) => access);
  const { pipeline, layout } = await device.pipelines.getPipeline(launch.wgsl, accesses, true, launch.label);
  const usage = BUFFER_USAGE.STORAGE | BUFFER_USAGE.UNIFORM;
  const entries = [...accesses, "uniform"].map((_, binding) => ({
    binding,
    resource: { buffer: device.gpu.createBuffer({ size: 1024, usage }) },
  }));
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.gpu.createBindGroup({ layout, entries }));
  // enough to have Mesa compile, and touches nothing
  pass.dispatchWorkgroups(0);
  pass.end();
  device.submit([encoder.finish()]);
  await device.finished();
  return (performance.now() - began) / 1000;
}

const words = process.argv.slice(2);
const device = await getDevice();
console.log(device.description);
const seen = new Set<string>();
for (const [name, made] of programs(device.traits))
  for (const launch of made.flatMap(({ launches }) => launches)) {
    const label = `${launch.label}, ${name}`;
    if (seen.has(launch.wgsl) || !words.every((word) => label.includes(word))) continue;
    seen.add(launch.wgsl);
    const seconds = await compile(device, launch);
    console.log(`${seconds.toFixed(2).padStart(6)} s  ${label}${seconds > LIMIT_SECONDS ? "  (slow)" : ""}`);
  }
device.check();
process.exit(0);
