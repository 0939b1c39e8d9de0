import type { Work } from "../contenders/contender.ts";
import { type RawGpu, storage } from "../contenders/raw/raw-gpu.ts";

/** Floating-point operations of a run, and the run. */
export interface FmaCeiling {
  readonly work: Work;
  readonly flops: number;
}

const LANES = 64;
const CHAINS = 8;
const UNROLLED = 16;

const kernel = (loops: number): string => `${storage(["y", "vec4f"])}
@compute @workgroup_size(${LANES}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(f32(id.x) * 1e-9 + 0.5);
  ${Array.from({ length: CHAINS }, (_, c) => `var s${c} = x + ${c}.0;`).join(" ")}
  for (var i = 0u; i < ${loops}u; i++) {
    ${Array.from({ length: UNROLLED }, () => Array.from({ length: CHAINS }, (_, c) => `s${c} = fma(s${c}, x, x);`).join(" ")).join("\n")}
  }
  y[id.x] = ${Array.from({ length: CHAINS }, (_, c) => `s${c}`).join(" + ")};
}`;

/** What the adapter multiplies and adds in registers alone, in eight independent chains of vec4 an invocation: no product can be faster. */
export function fmaCeiling(raw: RawGpu): FmaCeiling {
  const invocations = raw.software ? 16_384 : 2 ** 20;
  const loops = raw.software ? 16 : 256;
  const y = raw.buffer(16 * invocations);
  const work = raw.work([{ wgsl: kernel(loops), buffers: [y], workgroups: [invocations / LANES] }], () =>
    raw.read(y, 4 * invocations),
  );
  return { work, flops: 2 * 4 * CHAINS * UNROLLED * loops * invocations };
}
