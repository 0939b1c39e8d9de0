import { input, output, splitWorkgroups, type Binding, type Launch, type Program } from "../kernels/kernel.ts";

const WORKGROUP = 64;

/** A storage binding. */
interface NamedBinding {
  readonly name: string;
  /** Of its elements. */
  readonly type: string;
  /** How many there are, where the text may say so: reads at constant places are then not held against the buffer's size. */
  readonly length?: number;
  readonly binding: Binding;
}

interface SimpleKernel {
  readonly label: string;
  readonly bindings: readonly NamedBinding[];
  /** Names of the u32 words that the body reads. */
  readonly uniforms: Readonly<Record<string, number>>;
  /** Invocations; the body runs for `g` below it. */
  readonly count: number;
  readonly body: string;
  readonly functions?: string;
}

/** A launch whose body runs once for each `g` in [0, count), with uniforms as named constants. */
export function simpleLaunch({ label, bindings, uniforms, count, body, functions = "" }: SimpleKernel): Launch {
  const names = ["count", ...Object.keys(uniforms)];
  const words = [count, ...Object.values(uniforms)];
  const declarations = bindings.map(
    ({ name, type, length, binding }, i) =>
      `@group(0) @binding(${i}) var<storage, ${binding.access}> ${name}: array<${type}${length === undefined ? "" : `, ${length}`}>;`,
  );
  const wgsl = /* wgsl */ `
struct Sizes { ${names.map((n) => `${n}: u32`).join(", ")} }
${declarations.join("\n")}
@group(0) @binding(${bindings.length}) var<uniform> sizes: Sizes;
${functions}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = (wid.y * nwg.x + wid.x) * ${WORKGROUP}u + lid;
  if (g < sizes.count) {
    ${names
      .slice(1)
      .map((n) => `let ${n} = sizes.${n};`)
      .join(" ")}
    ${body}
  }
}
`;
  const padded = new Uint32Array(Math.ceil(words.length / 4) * 4);
  padded.set(words);
  return {
    label,
    wgsl,
    bindings: bindings.map((b) => b.binding),
    uniforms: padded,
    workgroups: splitWorkgroups(Math.ceil(count / WORKGROUP)),
  };
}

/** Fills output 0 with zeros: what an empty sum is. */
export const zeroFill = (label: string, count: number): Program => ({
  launches: [
    simpleLaunch({
      label,
      bindings: [{ name: "y", type: "f32", binding: output(0) }],
      uniforms: {},
      count,
      body: "y[g] = 0.0;",
    }),
  ],
  scratch: [],
});

export { input, output };
