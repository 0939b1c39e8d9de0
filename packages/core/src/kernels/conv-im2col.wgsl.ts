import type { ConvSpec } from "./conv-direct.wgsl.ts";
import {
  input,
  output,
  scratch,
  splitWorkgroups,
  type Binding,
  type BufferRef,
  type DeviceTraits,
  type Launch,
  type Program,
} from "./kernel.ts";
import { matmulProgram, type MatmulSpec } from "./matmul.ts";

const WORKGROUP = 64;
const product = (t: readonly number[]): number => t.reduce((n, k) => n * k, 1);
const tapsOf = (s: ConvSpec): number => product(s.kernel);
const pixelsOf = (s: ConvSpec): number => s.batch * product(s.output);

/** A 1×1×1 convolution that moves nothing is a product of matrices already. */
export const isPointwise = (s: ConvSpec): boolean =>
  tapsOf(s) === 1 && s.stride.every((n) => n === 1) && s.padBefore.every((n) => n === 0) && product(s.input) === product(s.output);

/** Bytes of the unfolded input. */
export const unfoldedBytes = (s: ConvSpec): number => pixelsOf(s) * tapsOf(s) * s.cin * 4;

const geometry = /* wgsl */ `
struct Sizes {
  count: u32, cin: u32, taps: u32, quads: u32,
  input: vec4<u32>, output: vec4<u32>, kernel: vec4<u32>, stride: vec4<u32>, pad: vec4<u32>, dilation: vec4<u32>,
}
fn tap_of(t: u32) -> vec3<u32> {
  let kw = t % s.kernel.z; let rest = t / s.kernel.z;
  return vec3<u32>(rest / s.kernel.y, rest % s.kernel.y, kw);
}
fn pixel_of(p: u32, size: vec3<u32>) -> vec4<u32> {
  let w = p % size.z; let a = p / size.z; let h = a % size.y; let b = a / size.y;
  return vec4<u32>(b / size.x, b % size.x, h, w);
}`;

function launch(label: string, s: ConvSpec, count: number, from: Binding, to: Binding, body: string): Launch {
  const lanes = s.cin % 4 === 0 ? 4 : 1;
  const type = lanes === 4 ? "vec4<f32>" : "f32";
  const triples = [s.input, s.output, s.kernel, s.stride, s.padBefore, s.dilation].flatMap((t) => [...t, 0]);
  return {
    label,
    wgsl: /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
@group(0) @binding(2) var<uniform> s: Sizes;
${geometry}
alias Quad = ${type};
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = (wid.y * nwg.x + wid.x) * ${WORKGROUP}u + lid;
  if (g >= s.count) { return; }
  ${body}
}
`,
    bindings: [from, to],
    uniforms: Uint32Array.from([count, s.cin, tapsOf(s), s.cin / lanes, ...triples]),
    workgroups: splitWorkgroups(Math.ceil(count / WORKGROUP)),
  };
}

/** [batch, D, H, W, cin] → [pixels, taps · cin]: the patch under each output pixel as a row. */
const unfold = (s: ConvSpec, to: Binding): Launch =>
  launch("conv unfold", s, pixelsOf(s) * tapsOf(s), input(0), to, /* wgsl */ `
  let p = pixel_of(g / s.taps, s.output.xyz);
  let at = p.yzw * s.stride.xyz + tap_of(g % s.taps) * s.dilation.xyz - s.pad.xyz;
  let row = g * s.quads;
  if (any(at >= s.input.xyz)) {
    for (var c = 0u; c < s.quads; c++) { y[row + c] = Quad(0.0); }
  } else {
    let source = (((p.x * s.input.x + at.x) * s.input.y + at.y) * s.input.z + at.z) * s.quads;
    for (var c = 0u; c < s.quads; c++) { y[row + c] = x[source + c]; }
  }`);

/** Adds the rows of [pixels, taps · cin] back where `unfold` took them from. */
const fold = (s: ConvSpec, source: Binding): Launch => {
  const lanes = s.cin % 4 === 0 ? 4 : 1;
  return launch("conv fold", s, (s.batch * product(s.input) * s.cin) / lanes, source, output(0), /* wgsl */ `
  let c = g % s.quads; let p = pixel_of(g / s.quads, s.input.xyz);
  var sum = Quad(0.0);
  for (var t = 0u; t < s.taps; t++) {
    let reach = p.yzw + s.pad.xyz - tap_of(t) * s.dilation.xyz;
    let at = reach / s.stride.xyz;
    if (any(reach > vec3<u32>(0x7fffffffu)) || any(at * s.stride.xyz != reach) || any(at >= s.output.xyz)) { continue; }
    let pixel = ((p.x * s.output.x + at.x) * s.output.y + at.y) * s.output.z + at.z;
    sum += x[(pixel * s.taps + t) * s.quads + c];
  }
  y[g] = sum;`);
};

/** The product's launches with its inputs, output and scratch named anew. */
function placed(spec: MatmulSpec, traits: DeviceTraits, inputs: readonly BufferRef[], to: BufferRef, firstScratch: number): Program {
  const program = matmulProgram(spec, traits);
  const place = (ref: BufferRef): BufferRef => {
    if (ref.kind === "input") return inputs[ref.index] ?? ref;
    return ref.kind === "output" ? to : { kind: "scratch", index: ref.index + firstScratch };
  };
  return {
    launches: program.launches.map((l) => ({ ...l, bindings: l.bindings.map((b) => ({ ...b, buffer: place(b.buffer) })) })),
    scratch: program.scratch,
  };
}

const rows = (rowStride: number): MatmulSpec["a"] => ({ offset: 0, batchStrides: [0, 0], rowStride, colStride: 1 });
const columns = (colStride: number): MatmulSpec["a"] => ({ offset: 0, batchStrides: [0, 0], rowStride: 1, colStride });

/** Convolution as unfold and product; one product where the kernel is a point. */
export function im2colForward(s: ConvSpec, traits: DeviceTraits): Program {
  const k = tapsOf(s) * s.cin;
  const spec: MatmulSpec = { m: pixelsOf(s), n: s.cout, k, batch: [1, 1], a: rows(k), b: rows(s.cout), bias: s.bias };
  if (isPointwise(s)) return matmulProgram(spec, traits);
  const unfolded = scratch(0, "read_write");
  const inputs: BufferRef[] = [unfolded.buffer, { kind: "input", index: 1 }, { kind: "input", index: 2 }];
  const product_ = placed(spec, traits, inputs, { kind: "output", index: 0 }, 1);
  return { launches: [unfold(s, unfolded), ...product_.launches], scratch: [unfoldedBytes(s), ...product_.scratch] };
}

/** Inputs dy, w: dx = fold(dy · wᵀ). */
export function im2colInputGrad(s: ConvSpec, traits: DeviceTraits): Program {
  const k = tapsOf(s) * s.cin;
  const spec: MatmulSpec = { m: pixelsOf(s), n: k, k: s.cout, batch: [1, 1], a: rows(s.cout), b: columns(s.cout) };
  if (isPointwise(s)) return matmulProgram(spec, traits);
  const inputs: BufferRef[] = [0, 1].map((index) => ({ kind: "input", index }));
  const product_ = placed(spec, traits, inputs, { kind: "scratch", index: 0 }, 1);
  return { launches: [...product_.launches, fold(s, scratch(0, "read"))], scratch: [unfoldedBytes(s), ...product_.scratch] };
}

/** Inputs x, dy: dw = unfold(x)ᵀ · dy. */
export function im2colWeightGrad(s: ConvSpec, traits: DeviceTraits): Program {
  const k = tapsOf(s) * s.cin;
  const spec: MatmulSpec = { m: k, n: s.cout, k: pixelsOf(s), batch: [1, 1], a: columns(k), b: rows(s.cout) };
  if (isPointwise(s)) return matmulProgram(spec, traits);
  const unfolded = scratch(0, "read_write");
  const product_ = placed(spec, traits, [unfolded.buffer, { kind: "input", index: 1 }], { kind: "output", index: 0 }, 1);
  return { launches: [unfold(s, unfolded), ...product_.launches], scratch: [unfoldedBytes(s), ...product_.scratch] };
}
