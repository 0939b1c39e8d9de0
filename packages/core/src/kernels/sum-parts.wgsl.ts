import type { Binding, Launch } from "./kernel.ts";
import { splitWorkgroups } from "./kernel.ts";
import { storage, uniformBlock } from "./snippets/uniforms.ts";

/** y[layer, i] = Σ_part x[layer, part, i] (+ bias[i mod width]): the second stage of a sum split without atomics. */
export interface SumParts {
  readonly label: string;
  readonly layers: number;
  readonly parts: number;
  readonly size: number;
  readonly width: number;
  readonly source: Binding;
  readonly target: Binding;
  readonly bias?: Binding;
}

const LANES = 64;

/** One launch; parts are added in order, so the result is the same every time. */
export function sumPartsLaunch(spec: SumParts): Launch {
  const vector = spec.size % 4 === 0 && spec.width % 4 === 0;
  const width = vector ? 4 : 1;
  const total = (spec.layers * spec.size) / width;
  const bias = spec.bias !== undefined;
  const block = uniformBlock({ total, size: spec.size / width, parts: spec.parts, width: spec.width / width });
  const wgsl = `${storage(0, "x", "read", vector)}${bias ? storage(1, "bias", "read", vector) : ""}${storage(bias ? 2 : 1, "y", "read_write", vector)}${block.declare(bias ? 3 : 2)}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (wid.y * grid.x + wid.x) * ${LANES}u + lane;
  if (i >= u.total) { return; }
  let layer = i / u.size;
  let at = i % u.size;
  var sum = x[layer * u.parts * u.size + at];
  for (var part = 1u; part < u.parts; part++) { sum += x[(layer * u.parts + part) * u.size + at]; }
  y[i] = sum${bias ? " + bias[at % u.width]" : ""};
}
`;
  return {
    label: spec.label,
    wgsl,
    bindings: [spec.source, ...(spec.bias ? [spec.bias] : []), spec.target],
    uniforms: block.words,
    workgroups: splitWorkgroups(Math.ceil(total / LANES)),
  };
}
