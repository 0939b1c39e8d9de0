import { isPacked, storageType, WORD_BYTES, type DType } from "../base/dtype.ts";
import { DeviceError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import type { Node } from "../graph/node.ts";
import { floatWord, splitWorkgroups, type DeviceTraits } from "../kernels/kernel.ts";
import type { ReduceOp } from "../primitives/structural.ts";
import { ExpressionWriter, literal, type Lanes, type Piece, type Resolver } from "./expression.ts";
import { accessOf, axesMap, indexFunction, Uniforms, type IndexMap } from "./index-map.ts";
import { packedAccess } from "../kernels/snippets/packed-access.ts";
import type { Value } from "./spec.ts";
import { pieceElements, windowOf, type Window } from "./window.ts";

export interface FusedKernel {
  readonly label: string;
  readonly wgsl: string;
  /** Buffers read, in binding order; what is written is bound after them, then the uniforms. */
  readonly values: readonly Value[];
  /** What of these and of what is written is bound; null: all of it. */
  readonly windows: readonly (Window | null)[];
  readonly uniforms: Uint32Array;
  readonly workgroups: readonly [number, number, number];
}

const WORKGROUP = 64;

const entry = (count: string, body: string): string => /* wgsl */ `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = (wid.y * nwg.x + wid.x) * ${WORKGROUP}u + lid;
  if (g < ${count}) {
    ${body}
  }
}
`;

export const outputBinding = (name: string, index: number, type: string): string =>
  `@group(0) @binding(${index}) var<storage, read_write> ${name}: array<${type}>;\n`;
export const uniformBinding = (index: number, uniforms: Uniforms): string =>
  `@group(0) @binding(${index}) var<uniform> u: ${uniforms.declaration};\n`;
const outputBindings = (index: number, type: string, uniforms: Uniforms): string =>
  outputBinding("out", index, type) + uniformBinding(index + 1, uniforms);

/** A value as it lies in memory. */
export const stored = (dtype: DType, value: string, lanes: Lanes): string => {
  if (dtype !== "bool") return value;
  return lanes === 4 ? `select(vec4<u32>(0u), vec4<u32>(1u), ${value})` : `select(0u, 1u, ${value})`;
};

/**
 * Evaluates the expression at `node` for `size` elements and stores it through `store`: in one dispatch, or in several where a buffer is too large for
 * one binding.
 *
 * @throws DeviceError where so large an output is not written in order
 */
export function elementwiseKernels(
  node: Node,
  size: number,
  output: Value,
  store: IndexMap,
  resolve: Resolver,
  label: string,
): FusedKernel[] {
  if (size === 0) return [];
  const { limit } = resolve;
  const whole = elementwiseKernel(node, size, output, store, resolve, label, null);
  if ([...whole.values, output].every(({ bytes }) => bytes <= limit)) return [whole];
  if (output.bytes > limit && accessOf(store, 1) !== "linear" && size > 1)
    throw new DeviceError(
      "out-of-memory",
      `${label}: a tensor of ${output.bytes} bytes, more than this adapter binds (${limit}), must be written in order; join along its first axis`,
    );
  const step = pieceElements(limit);
  return Array.from({ length: Math.ceil(size / step) }, (_, k) =>
    elementwiseKernel(node, size, output, store, resolve, label, {
      first: k * step,
      count: Math.min(step, size - k * step),
    }),
  );
}

function elementwiseKernel(
  node: Node,
  size: number,
  output: Value,
  store: IndexMap,
  resolve: Resolver,
  label: string,
  piece: Piece | null,
): FusedKernel {
  const packed = isPacked(node.dtype) ? packedAccess[node.dtype] : null;
  // packed elements are written four at a time; those behind the last fill up its word
  const lanes: Lanes = size % 4 === 0 || packed ? 4 : 1;
  const writer = new ExpressionWriter(lanes, resolve, piece);
  const { kernel } = writer;
  const { uniforms } = kernel;
  const groups = Math.ceil((piece?.count ?? size) / lanes);
  const first = piece ? ` + ${uniforms.word(piece.first)}` : "";
  const count = uniforms.word(groups);
  const value = writer.write(node);
  if (packed) kernel.use(packed.functions);
  const result = packed ? packed.store(value) : stored(node.dtype, value, lanes);
  const access = accessOf(store, lanes);
  const scalar = storageType(node.dtype);
  let storeFunction = "";
  let write: string;
  const shown =
    piece && output.bytes > resolve.limit
      ? windowOf(output, node.dtype, piece.first + store.offset, piece.count)
      : { window: null, start: 0 };
  const offset = store.offset - shown.start;
  if (access === "linear" || size === 1) {
    const at = offset === 0 ? "i" : `(i + ${uniforms.word(offset)})`;
    write = lanes === 4 ? `out[${at} >> 2u] = ${result};` : `out[${at}] = ${result};`;
  } else {
    storeFunction = indexFunction("store_index", store, uniforms);
    if (access === "vector") write = `out[store_index(i) >> 2u] = ${result};`;
    else if (lanes === 1) write = `out[store_index(i)] = ${result};`;
    else if (access === "strided") {
      const step = uniforms.word(store.strides.at(-1) ?? 0);
      write = `let result = ${result};\n    let at = store_index(i); ${[0, 1, 2, 3].map((k) => `out[at + ${k}u * ${step}] = result[${k}];`).join(" ")}`;
    } else
      write = `let result = ${result};\n    ${[0, 1, 2, 3].map((k) => `out[store_index(i + ${k}u)] = result[${k}];`).join(" ")}`;
  }
  const wide = lanes === 4 && (access === "linear" || access === "vector");
  const type = packed ? packed.four : wide ? `vec4<${scalar}>` : scalar;
  const declarations = [...kernel.declarations, ""].join("\n") + outputBindings(kernel.values.length, type, uniforms);
  const body = [`let i = g * ${lanes}u${first};`, writer.body, write].join("\n    ");
  return {
    label,
    wgsl: declarations + kernel.header + storeFunction + entry(count, body),
    values: kernel.values,
    windows: [...kernel.windows, shown.window],
    uniforms: uniforms.packed(),
    workgroups: splitWorkgroups(Math.ceil(groups / WORKGROUP)),
  };
}

interface Reduction {
  readonly input: Node;
  readonly op: ReduceOp;
  readonly axes: readonly number[];
  readonly scale: number;
  readonly output: Value;
  readonly temporary: (bytes: number) => Value;
}

/** What an integer type has for the infinities that are the identities of max and min. */
const BOUNDS = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/** WGSL of the reduction of nothing. */
export function identityOf({ identity }: ReduceOp, dtype: DType, uniforms: Uniforms): string {
  if (dtype !== "i32" && dtype !== "u32") return literal(identity, dtype, uniforms);
  const [lowest, highest] = BOUNDS[dtype];
  return literal(Math.min(highest, Math.max(lowest, identity)), dtype, uniforms);
}

/**
 * Deterministic reductions without barriers or atomics: each invocation sums one stretch of one output (or of four neighbouring ones); where
 * outputs are too few to fill the machine, further dispatches add up the stretches.
 */
export function reduceKernels(
  { input, op, axes, scale, output, temporary }: Reduction,
  resolve: Resolver,
  traits: DeviceTraits,
): { kernel: FusedKernel; output: Value }[] {
  const { shape, dtype } = input;
  const kept = shape.map((_, a) => a).filter((a) => !axes.includes(a));
  const outer = axesMap(shape, kept);
  const inner = axesMap(shape, axes);
  const outputs = kept.reduce((n, a) => n * (shape[a] ?? 1), 1);
  const length = axes.reduce((n, a) => n * (shape[a] ?? 1), 1);
  if (outputs === 0) return [];

  const innermost = (map: IndexMap): boolean => map.strides.at(-1) === 1 && (map.dims.at(-1) ?? 1) % 4 === 0;
  const over = sizeOf(shape) === 0 ? "none" : innermost(outer) ? "outputs" : innermost(inner) ? "length" : "none";
  const lanes: Lanes = over === "none" ? 1 : 4;
  const groups = over === "outputs" ? outputs / 4 : outputs;
  const wanted = traits.software ? 512 : 65536;
  const step = over === "length" ? 4 : 1;
  const alone = traits.software && length / step <= LONGEST_ALONE;
  const fitting = alone ? 1 : Math.max(1, Math.min(Math.ceil(wanted / groups), Math.ceil(length / 64)));
  // along the reduced axes the invocations of a workgroup share a stretch and take neighbouring fours of it; else each has its own
  const team = over === "length" ? Math.min(fitting, WORKGROUP) : 1;
  const teams = Math.floor(fitting / team);
  const splits = teams * team;
  const stretch = step * Math.ceil(length / (step * teams));

  const writer = new ExpressionWriter(lanes, resolve);
  const { kernel } = writer;
  const { uniforms } = kernel;
  const count = uniforms.word(groups * splits);
  const groupsWord = uniforms.word(groups);
  const splitsWord = uniforms.word(splits);
  const teamWord = uniforms.word(team);
  const stretchWord = uniforms.word(stretch);
  const lengthWord = uniforms.word(length);
  const scaleWord = splits === 1 && scale !== 1 ? uniforms.word(floatWord(scale)) : null;
  const functions = indexFunction("outer_index", outer, uniforms) + indexFunction("inner_index", inner, uniforms);
  const type = writer.type(dtype);
  const value = writer.write(input);
  let result = over === "length" ? op.combine(op.combine("acc.x", "acc.y"), op.combine("acc.z", "acc.w")) : "acc";
  if (scaleWord) result = `${result} * bitcast<f32>(${scaleWord})`;
  const visit = `let i = base + inner_index(r);
    ${writer.body}
    acc = ${op.combine("acc", value)};`;
  const place =
    over === "length"
      ? `let o = g / ${splitsWord}; let split = g - o * ${splitsWord};`
      : `let split = g / ${groupsWord}; let o = (g - split * ${groupsWord})${over === "outputs" ? " * 4u" : ""};`;
  const walk = {
    from: `start + (split - own * ${teamWord}) * ${step}u`,
    past: `min(${lengthWord}, start + ${stretchWord})`,
    stride: `${teamWord} * ${step}u`,
  };
  const body = `${place}
    let own = split / ${teamWord};
    let start = own * ${stretchWord};
    let base = outer_index(o);
    var acc = ${type}(${identityOf(op, dtype, uniforms)});
    ${visiting(walk, visit)}
    out[${over === "length" ? `split * ${groupsWord} + o` : "g"}] = ${result};`;
  const outType = over === "outputs" ? `vec4<${dtype}>` : dtype;
  const first: FusedKernel = {
    label: op.name,
    wgsl:
      [...kernel.declarations, ""].join("\n") +
      outputBindings(kernel.values.length, outType, uniforms) +
      kernel.header +
      functions +
      entry(count, body),
    values: kernel.values,
    windows: [...kernel.windows, null],
    uniforms: uniforms.packed(),
    workgroups: splitWorkgroups(Math.ceil((groups * splits) / WORKGROUP)),
  };
  const launches: { kernel: FusedKernel; output: Value }[] = [];
  let last = first;
  for (let parts = splits; parts > 1;) {
    const partial = temporary(outputs * parts * WORD_BYTES);
    launches.push({ kernel: last, output: partial });
    const next = Math.ceil(parts / (traits.software ? MOST_PARTS.software : MOST_PARTS.gpu));
    last = combineKernel(op, dtype, { outputs, parts, next, scale, partial });
    parts = next;
  }
  return [...launches, { kernel: last, output }];
}

/** Passes of a loop that take a software adapter less time than a second dispatch, 35 against 50 µs on lavapipe. */
const LONGEST_ALONE = 1024;

/** Stretches that one invocation adds up: on a GPU they wait for each other's loads while everything else stands still. */
const MOST_PARTS = { software: 512, gpu: 64 } as const;

/** Passes of a loop that are written out, where they are short: a pass's own test and jump cost software adapters as much as a load and a sum. */
const UNROLLED = 4;
/** Characters of such a pass; compilers take long over more. */
const SHORT = 1500;

/** WGSL that visits every `r` from, from + stride, … below past. */
function visiting({ from, past, stride }: Record<"from" | "past" | "stride", string>, visit: string): string {
  const passes = visit.length <= SHORT ? UNROLLED : 1;
  const several = Array.from({ length: passes }, () => `{ ${visit} }`).join("\n    r += stride;\n    ");
  const most =
    passes === 1
      ? ""
      : `for (; r + ${passes - 1}u * stride < past; r += stride) {
    ${several}
    }`;
  return `{
    let past = ${past};
    let stride = ${stride};
    var r = ${from};
    ${most}
    for (; r < past; r += stride) {
    ${visit}
    }
    }`;
}

interface Combination {
  readonly outputs: number;
  readonly parts: number;
  /** Parts that are left. */
  readonly next: number;
  /** Applied where one is left. */
  readonly scale: number;
  /** [parts, outputs] */
  readonly partial: Value;
}

/** out[t, o] = ⊕ over s = t, t + next, … of partial[s, o] */
function combineKernel(op: ReduceOp, dtype: DType, given: Combination): FusedKernel {
  const { outputs, parts, next, scale, partial } = given;
  const uniforms = new Uniforms();
  const count = uniforms.word(outputs * next);
  const outputsWord = uniforms.word(outputs);
  const walk = { from: "t", past: uniforms.word(parts), stride: uniforms.word(next) };
  const scaled = scale === 1 || next > 1 ? "acc" : `acc * bitcast<f32>(${uniforms.word(floatWord(scale))})`;
  const body = `let t = g / ${outputsWord};
    let o = g - t * ${outputsWord};
    var acc = ${identityOf(op, dtype, uniforms)};
    ${visiting(walk, `acc = ${op.combine("acc", `x0[r * ${outputsWord} + o]`)};`)}
    out[g] = ${scaled};`;
  return {
    label: `${op.name} stretches`,
    wgsl:
      `@group(0) @binding(0) var<storage, read> x0: array<${dtype}>;\n` +
      outputBindings(1, dtype, uniforms) +
      entry(count, body),
    values: [partial],
    windows: [null, null],
    uniforms: uniforms.packed(),
    workgroups: splitWorkgroups(Math.ceil((outputs * next) / WORKGROUP)),
  };
}
