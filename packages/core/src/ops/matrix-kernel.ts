import { splitWorkgroups, type Binding, type DeviceTraits, type Launch } from "../kernels/kernel.ts";
import { uniformBlock } from "../kernels/snippets/uniforms.ts";

interface MatrixKernel {
  readonly label: string;
  /** Matrices: one workgroup each. */
  readonly count: number;
  /** Their rows. */
  readonly n: number;
  /** f32 buffers of [count, …], in the order of their bindings. */
  readonly buffers: readonly { readonly name: string; readonly binding: Binding }[];
  /** WGSL for matrix `m`, of `n` rows, by lane `lane` of `LANES`; barriers may stand wherever all lanes come. */
  readonly body: string;
}

/** WGSL lacks NaN; `x` is any word. */
export const NAN = "bitcast<f32>(0x7fc00000u | (u.count & 0u))";

/** A launch of one workgroup a matrix. On software adapters that is one lane: there a barrier costs more than it shares out. */
export function matrixLaunch({ label, count, n, buffers, body }: MatrixKernel, traits: DeviceTraits): Launch {
  const lanes = traits.software ? 1 : Math.min(64, traits.maxWorkgroupSize);
  const block = uniformBlock({ count, n });
  const declarations = buffers.map(
    ({ name, binding }, i) => `@group(0) @binding(${i}) var<storage, ${binding.access}> ${name}: array<f32>;\n`,
  );
  return {
    label,
    wgsl: /* wgsl */ `${declarations.join("")}${block.declare(buffers.length)}
const LANES = ${lanes}u;
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let m = wid.y * grid.x + wid.x;
  if (m >= u.count) { return; }
  let n = u.n;
  let at = m * n * n;
  ${body}
}
`,
    bindings: buffers.map((b) => b.binding),
    uniforms: block.words,
    workgroups: splitWorkgroups(count),
  };
}
