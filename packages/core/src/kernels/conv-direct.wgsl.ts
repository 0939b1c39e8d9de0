import { input, output, splitWorkgroups, type DeviceTraits, type Program } from "./kernel.ts";

type Triple = readonly [number, number, number];

/** A convolution over [batch, D, H, W, C], zeros outside the input. */
export interface ConvSpec {
  readonly batch: number;
  readonly input: Triple;
  readonly cin: number;
  readonly output: Triple;
  readonly cout: number;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padBefore: Triple;
  readonly dilation: Triple;
  readonly groups: number;
  readonly bias: boolean;
}

const WORKGROUP = 64;

const sizes = /* wgsl */ `
struct Sizes {
  count: u32, batch: u32, cin: u32, cout: u32,
  cin_group: u32, cout_group: u32, taps: u32, pixels: u32,
  input: vec4<u32>, output: vec4<u32>, kernel: vec4<u32>, stride: vec4<u32>, pad: vec4<u32>, dilation: vec4<u32>,
}`;

const words = (s: ConvSpec, count: number): Uint32Array => {
  const taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
  const pixels = s.batch * s.output[0] * s.output[1] * s.output[2];
  const triples = [s.input, s.output, s.kernel, s.stride, s.padBefore, s.dilation].flatMap((t) => [...t, 0]);
  return Uint32Array.from([count, s.batch, s.cin, s.cout, s.cin / s.groups, s.cout / s.groups, taps, pixels, ...triples]);
};

function program(label: string, s: ConvSpec, count: number, names: readonly string[], body: string): Program {
  const bindings = [...names.map((_, i) => input(i)), output(0)];
  const declared = [...names, "result"].map(
    (name, i) => `@group(0) @binding(${i}) var<storage, ${i === names.length ? "read_write" : "read"}> ${name}: array<f32>;`,
  );
  const wgsl = /* wgsl */ `${sizes}
${declared.join("\n")}
@group(0) @binding(${names.length + 1}) var<uniform> s: Sizes;
fn tap_of(t: u32) -> vec3<u32> {
  let kw = t % s.kernel.z; let rest = t / s.kernel.z;
  return vec3<u32>(rest / s.kernel.y, rest % s.kernel.y, kw);
}
fn pixel_of(p: u32, size: vec3<u32>) -> vec4<u32> {
  let w = p % size.z; let a = p / size.z; let h = a % size.y; let b = a / size.y;
  return vec4<u32>(b / size.x, b % size.x, h, w);
}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = (wid.y * nwg.x + wid.x) * ${WORKGROUP}u + lid;
  if (g >= s.count) { return; }
  ${body}
}
`;
  return {
    launches: [{ label, wgsl, bindings, uniforms: words(s, count), workgroups: splitWorkgroups(Math.ceil(count / WORKGROUP)) }],
    scratch: [],
  };
}

const product = (t: Triple): number => t[0] * t[1] * t[2];

/** One output element an invocation: any groups, any sizes. */
export function directForward(s: ConvSpec, _traits: DeviceTraits): Program {
  return program("conv direct", s, s.batch * product(s.output) * s.cout, s.bias ? ["x", "w", "bias"] : ["x", "w"], /* wgsl */ `
  let co = g % s.cout; let p = pixel_of(g / s.cout, s.output.xyz);
  let first = (co / s.cout_group) * s.cin_group;
  var sum = ${s.bias ? "bias[co]" : "0.0"};
  for (var t = 0u; t < s.taps; t++) {
    let at = p.yzw * s.stride.xyz + tap_of(t) * s.dilation.xyz - s.pad.xyz;
    if (any(at >= s.input.xyz)) { continue; }
    let row = (((p.x * s.input.x + at.x) * s.input.y + at.y) * s.input.z + at.z) * s.cin + first;
    for (var ci = 0u; ci < s.cin_group; ci++) { sum += x[row + ci] * w[(t * s.cin_group + ci) * s.cout + co]; }
  }
  result[g] = sum;`);
}

export function directInputGrad(s: ConvSpec, _traits: DeviceTraits): Program {
  return program("conv direct input gradient", s, s.batch * product(s.input) * s.cin, ["dy", "w"], /* wgsl */ `
  let ci = g % s.cin; let p = pixel_of(g / s.cin, s.input.xyz);
  let group = ci / s.cin_group; let inner = ci - group * s.cin_group; let first = group * s.cout_group;
  var sum = 0.0;
  for (var t = 0u; t < s.taps; t++) {
    let source = p.yzw + s.pad.xyz - tap_of(t) * s.dilation.xyz;
    let at = source / s.stride.xyz;
    if (any(source > vec3<u32>(0x7fffffffu)) || any(at * s.stride.xyz != source) || any(at >= s.output.xyz)) { continue; }
    let row = (((p.x * s.output.x + at.x) * s.output.y + at.y) * s.output.z + at.z) * s.cout + first;
    let weight = (t * s.cin_group + inner) * s.cout + first;
    for (var co = 0u; co < s.cout_group; co++) { sum += dy[row + co] * w[weight + co]; }
  }
  result[g] = sum;`);
}

export function directWeightGrad(s: ConvSpec, _traits: DeviceTraits): Program {
  const count = (product(s.kernel) * s.cin * s.cout) / s.groups;
  return program("conv direct weight gradient", s, count, ["x", "dy"], /* wgsl */ `
  let co = g % s.cout; let k = g / s.cout; let t = k / s.cin_group;
  let ci = k - t * s.cin_group + (co / s.cout_group) * s.cin_group;
  let shift = tap_of(t) * s.dilation.xyz - s.pad.xyz;
  var sum = 0.0;
  for (var q = 0u; q < s.pixels; q++) {
    let p = pixel_of(q, s.output.xyz);
    let at = p.yzw * s.stride.xyz + shift;
    if (any(at >= s.input.xyz)) { continue; }
    sum += x[(((p.x * s.input.x + at.x) * s.input.y + at.y) * s.input.z + at.z) * s.cin + ci] * dy[q * s.cout + co];
  }
  result[g] = sum;`);
}
