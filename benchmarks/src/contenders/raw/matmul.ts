import type { MatmulInputs, MatmulSpec } from "../../ops/matmul.ts";
import type { Work } from "../contender.ts";
import { type RawGpu, storage } from "./raw-gpu.ts";

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

const ROWS = 16;
const SIDE = 64;
const DEPTH = 16;

const upTo = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
const times = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n");

/** Each lane has 16 rows of 4 columns; a subgroup reads A once and spreads it by broadcasts. For software adapters. */
function broadcastKernel(lanes: number, { m, k, n }: Sizes): string {
  const spread = (r: number, kk: number): string => (lanes === 1 ? `a${r}` : `subgroupBroadcast(a${r}, ${kk}u)`);
  return `${lanes === 1 ? "" : "enable subgroups;"}
${storage(["a", "f32"], ["b", "vec4f"], ["c", "vec4f"])}
@compute @workgroup_size(${lanes}) fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = wid.x * ${lanes}u + lane;
  let row = wid.y * ${ROWS}u;
  let left = (wid.z * ${m}u + row) * ${k}u;
  let right = wid.z * ${(k * n) / 4}u + column;
  ${times(ROWS, (r) => `var c${r} = vec4f();`)}
  for (var i = 0u; i < ${k}u; i += ${lanes}u) {
    ${times(ROWS, (r) => `let a${r} = a[left + ${r * k}u + i + lane];`)}
    ${times(
      lanes,
      (kk) => `{ let b0 = b[right + (i + ${kk}u) * ${n / 4}u];
      ${times(ROWS, (r) => `c${r} += ${spread(r, kk)} * b0;`)} }`,
    )}
  }
  let begin = (wid.z * ${m}u + row) * ${n / 4}u + column;
  ${times(ROWS, (r) => `c[begin + ${(r * n) / 4}u] = c${r};`)}
}`;
}

/** 64×64 outputs a workgroup of 16×16, tiles of A and B in workgroup memory. For GPUs. */
function tiledKernel({ m, k, n }: Sizes): string {
  return `${storage(["a", "f32"], ["b", "vec4f"], ["c", "vec4f"])}
var<workgroup> ta: array<array<f32, ${SIDE}>, ${DEPTH}>;
var<workgroup> tb: array<array<vec4f, ${SIDE / 4}>, ${DEPTH}>;
@compute @workgroup_size(16, 16) fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let row = wid.y * ${SIDE}u;
  let column = wid.x * ${SIDE / 4}u;
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
  for (var i = 0u; i < ${k}u; i += ${DEPTH}u) {
    for (var r = 0u; r < 4u; r++) {
      ta[id.x][id.y * 4u + r] = a[(wid.z * ${m}u + row + id.y * 4u + r) * ${k}u + i + id.x];
    }
    tb[id.y][id.x] = b[(wid.z * ${k}u + i + id.y) * ${n / 4}u + column + id.x];
    workgroupBarrier();
    for (var kk = 0u; kk < ${DEPTH}u; kk++) {
      let b0 = tb[kk][id.x];
      c0 += ta[kk][id.y * 4u] * b0;
      c1 += ta[kk][id.y * 4u + 1u] * b0;
      c2 += ta[kk][id.y * 4u + 2u] * b0;
      c3 += ta[kk][id.y * 4u + 3u] * b0;
    }
    workgroupBarrier();
  }
  let begin = (wid.z * ${m}u + row + id.y * 4u) * ${n / 4}u + column + id.x;
  c[begin] = c0; c[begin + ${n / 4}u] = c1; c[begin + ${n / 2}u] = c2; c[begin + ${(3 * n) / 4}u] = c3;
}`;
}

/** Matrices with zeros around: kernels without edges. */
function padded(
  values: Float32Array,
  [batch, rows, columns]: readonly [number, number, number],
  [tall, wide]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  const all = new Float32Array(batch * tall * wide);
  for (let matrix = 0; matrix < batch; matrix++)
    for (let row = 0; row < rows; row++) {
      const from = (matrix * rows + row) * columns;
      all.set(values.subarray(from, from + columns), (matrix * tall + row) * wide);
    }
  return all;
}

/** The rows and columns asked for of matrices with zeros around. */
function cropped(
  values: Float32Array,
  { batch, m, n }: MatmulSpec,
  [tall, wide]: readonly [number, number],
): Float32Array {
  const all = new Float32Array(batch * m * n);
  for (let row = 0; row < batch * m; row++) {
    const from = (Math.floor(row / m) * tall + (row % m)) * wide;
    all.set(values.subarray(from, from + n), row * n);
  }
  return all;
}

export function rawMatmul(raw: RawGpu, spec: MatmulSpec, inputs: MatmulInputs): Work {
  const { batch, m, k, n } = spec;
  const { lanes, software } = raw;
  const sizes = software
    ? { m: upTo(m, ROWS), k: upTo(k, lanes), n: upTo(n, 4 * lanes) }
    : { m: upTo(m, SIDE), k: upTo(k, DEPTH), n: upTo(n, SIDE) };
  const a = raw.upload(padded(inputs.a, [batch, m, k], [sizes.m, sizes.k]));
  const b = raw.upload(padded(inputs.b, [batch, k, n], [sizes.k, sizes.n]));
  const length = batch * sizes.m * sizes.n;
  const c = raw.buffer(4 * length);
  const dispatch = software
    ? { wgsl: broadcastKernel(lanes, sizes), workgroups: [sizes.n / (4 * lanes), sizes.m / ROWS, batch] as const }
    : { wgsl: tiledKernel(sizes), workgroups: [sizes.n / SIDE, sizes.m / SIDE, batch] as const };
  return raw.work([{ ...dispatch, buffers: [a, b, c] }], async () =>
    cropped(await raw.read(c, length), spec, [sizes.m, sizes.n]),
  );
}
