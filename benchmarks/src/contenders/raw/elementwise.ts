import type { AddGeluInputs, LengthSpec, SumInputs } from "../../ops/elementwise.ts";
import { ADAM, type AdamInputs, type AdamSpec } from "../../ops/training.ts";
import type { SafetensorsInputs, SafetensorsSpec } from "../../ops/models.ts";
import type { Work } from "../contender.ts";
import { flatIndex, grid, type RawGpu, storage } from "./raw-gpu.ts";

const LANES = 64;

/** Each invocation has one vec4. Lengths must be a multiple of 4. */
const overQuads = (length: number, line: string): string => `${flatIndex(LANES)}
  let i = group * ${LANES}u + lane;
  if (i < ${length / 4}u) { ${line} }
}`;

const quadGroups = (length: number): [number, number] => grid(Math.ceil(length / 4 / LANES));

export function rawAddGelu(raw: RawGpu, { length }: LengthSpec, inputs: AddGeluInputs): Work {
  const wgsl = `${storage(["a", "vec4f"], ["b", "vec4f"], ["y", "vec4f"])}
${overQuads(
  length,
  `let x = a[i] + b[i];
  y[i] = 0.5 * x * (1.0 + tanh(${Math.sqrt(2 / Math.PI)} * (x + 0.044715 * x * x * x)));`,
)}`;
  const y = raw.buffer(4 * length);
  const buffers = [raw.upload(inputs.a), raw.upload(inputs.b), y];
  return raw.work([{ wgsl, buffers, workgroups: quadGroups(length) }], () => raw.read(y, length));
}

/** Partial sums of a few thousand invocations, then one invocation over those. */
export function rawSum(raw: RawGpu, { length }: LengthSpec, { x }: SumInputs): Work {
  const groups = raw.software ? 16 : 512;
  const parts = groups * LANES;
  const first = `${storage(["x", "vec4f"], ["parts", "vec4f"])}
${flatIndex(LANES)}
  let part = group * ${LANES}u + lane;
  var total = vec4f();
  for (var i = part; i < ${length / 4}u; i += ${parts}u) { total += x[i]; }
  parts[part] = total;
}`;
  const second = `${storage(["parts", "vec4f"], ["y", "f32"])}
@compute @workgroup_size(1) fn main() {
  var total = vec4f();
  for (var i = 0u; i < ${parts}u; i++) { total += parts[i]; }
  y[0] = total.x + total.y + total.z + total.w;
}`;
  const partial = raw.buffer(16 * parts);
  const y = raw.buffer(4);
  return raw.work(
    [
      { wgsl: first, buffers: [raw.upload(x), partial], workgroups: [groups] },
      { wgsl: second, buffers: [partial, y], workgroups: [1] },
    ],
    () => raw.read(y, 1),
  );
}

/** One dispatch a tensor. The step's number stays 1: the arithmetic is the same. */
export function rawAdam(raw: RawGpu, { tensors, each }: AdamSpec, inputs: AdamInputs): Work {
  const { lr, beta1, beta2, eps } = ADAM;
  const wgsl = `@group(0) @binding(0) var<storage, read> g: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;
${overQuads(
  each,
  `m[i] = m[i] * ${beta1} + g[i] * ${1 - beta1};
  v[i] = v[i] * ${beta2} + g[i] * g[i] * ${1 - beta2};
  p[i] -= ${lr / (1 - beta1)} * m[i] / (sqrt(v[i] * ${1 / (1 - beta2)}) + ${eps});`,
)}`;
  const parameters = inputs.parameters.map((p) => raw.upload(p));
  const dispatches = inputs.gradients.flatMap((g, i) => {
    const p = parameters[i];
    return p
      ? [
          {
            wgsl,
            buffers: [raw.upload(g), p, raw.buffer(4 * each), raw.buffer(4 * each)],
            workgroups: quadGroups(each),
          },
        ]
      : [];
  });
  return raw.work(dispatches, async () => {
    const all = new Float32Array(tensors * each);
    for (const [i, p] of parameters.entries()) all.set(await raw.read(p, each), i * each);
    return all;
  });
}

/** The bytes into buffers that are there already, with no file around them. */
export function rawUpload(raw: RawGpu, { tensors, each }: SafetensorsSpec, inputs: SafetensorsInputs): Work {
  const buffers = inputs.tensors.map((values) => ({ values, buffer: raw.buffer(4 * each) }));
  return {
    start: () => {
      for (const { values, buffer } of buffers) raw.gpu.queue.writeBuffer(buffer, 0, values);
      raw.gpu.queue.submit([]);
    },
    finish: () => raw.gpu.queue.onSubmittedWorkDone().then(() => undefined),
    answer: async () => {
      const all = new Float32Array(tensors * each);
      for (const [i, { buffer }] of buffers.entries()) all.set(await raw.read(buffer, each), i * each);
      return all;
    },
  };
}
