import { collapse, type View } from "../base/view.ts";
import { sizeOf, type Shape } from "../base/shape.ts";
import { floatWord } from "../kernels/kernel.ts";

/** Where element i of an iteration lies in a buffer. With `before`, coordinates outside the source read a fill value. */
export interface IndexMap {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly padded: {
    readonly before: readonly number[];
    readonly sizes: readonly number[];
    readonly fill: number;
  } | null;
}

export const mapOf = (view: View): IndexMap => ({ ...collapse(view), padded: null });

/** Map of a padded view: `pads` holds [before, after] an axis. Neighbouring axes without padding are merged. */
export function paddedMap(view: View, pads: readonly number[], fill: number): IndexMap {
  const dims: number[] = [];
  const strides: number[] = [];
  const before: number[] = [];
  const sizes: number[] = [];
  let lastPlain = false;
  view.shape.forEach((n, a) => {
    const low = pads[2 * a] ?? 0;
    const high = pads[2 * a + 1] ?? 0;
    const plain = low === 0 && high === 0;
    const stride = view.strides[a] ?? 0;
    if (plain && n === 1) return;
    const last = dims.length - 1;
    if (plain && lastPlain && strides[last] === stride * n) {
      dims[last] = (dims[last] ?? 1) * n;
      sizes[last] = dims[last] ?? 1;
      strides[last] = stride;
      return;
    }
    dims.push(n + low + high);
    strides.push(stride);
    before.push(low);
    sizes.push(n);
    lastPlain = plain;
  });
  return { dims, strides, offset: view.offset, padded: { before, sizes, fill } };
}

export type Access = "linear" | "splat" | "vector" | "strided" | "gather";

/** How four neighbouring elements of the iteration are read at once. */
export function accessOf(map: IndexMap, lanes: 1 | 4): Access {
  const { dims, strides, offset, padded } = map;
  const last = dims.length - 1;
  if (dims.length === 0 && !padded) return "splat";
  if (dims.length === 1 && strides[0] === 0 && !padded) return "splat";
  if (dims.length === 1 && strides[0] === 1 && !padded && (lanes === 1 || offset % 4 === 0)) return "linear";
  if (lanes === 1) return "gather";
  const innerWhole = (dims[last] ?? 1) % 4 === 0 && (!padded || padded.sizes[last] === dims[last]);
  if (!innerWhole) return "gather";
  if (strides[last] === 0) return "splat";
  const aligned = offset % 4 === 0 && strides.every((s, i) => i === last || s % 4 === 0);
  return strides[last] === 1 && aligned ? "vector" : "strided";
}

/** Collects the uniform words of a kernel; reading one is an expression. */
export class Uniforms {
  readonly words: number[] = [];

  /** WGSL expression of a new u32 word. Negative numbers wrap, as u32 arithmetic does. */
  word(value: number): string {
    const at = this.words.push(value >>> 0) - 1;
    return `u[${at >> 2}][${at & 3}]`;
  }
  /** A u32 that is zero, which compilers cannot know. */
  get zero(): string {
    return "(u[0].x & 0u)";
  }
  get declaration(): string {
    return `array<vec4<u32>, ${Math.max(1, Math.ceil(this.words.length / 4))}>`;
  }
  packed(): Uint32Array {
    const words = new Uint32Array(Math.max(4, Math.ceil(this.words.length / 4) * 4));
    words.set(this.words);
    return words;
  }
}

/** Words as fields of another kernel's uniforms. */
export class UniformFields extends Uniforms {
  override word(value: number): string {
    const at = this.words.push(value >>> 0) - 1;
    return `u.finish_${at}`;
  }
  override get zero(): string {
    return this.word(0);
  }
  get fields(): Record<string, number> {
    return Object.fromEntries(this.words.map((value, at) => [`finish_${at}`, value]));
  }
}

/**
 * Below this many elements a quotient is exact as ⌊(i + ½) · fl(1/n)⌋ in f32: the product errs by less than i/n · 2⁻²³ < 1/(4n), and i + ½ over n is
 * ½/n away from the next whole number.
 */
export const EXACT_QUOTIENTS = 2 ** 21;

/** A WGSL function from the iteration's index to the element's place; for padded maps `valid_NAME` tells whether it exists. */
export function indexFunction(name: string, map: IndexMap, uniforms: Uniforms): string {
  const { dims, strides, padded } = map;
  const lines: string[] = [];
  const checks: string[] = [];
  const exact = sizeOf(dims) <= EXACT_QUOTIENTS;
  lines.push(`var rest = i; var at = ${uniforms.word(map.offset)};`);
  for (let d = dims.length - 1; d >= 0; d--) {
    let coordinate = "rest";
    if (d > 0) {
      const n = uniforms.word(dims[d] ?? 1);
      // software adapters divide integers lane by lane
      const quotient = exact
        ? `u32((f32(i32(rest)) + 0.5) * bitcast<f32>(${uniforms.word(floatWord(1 / (dims[d] ?? 1)))}))`
        : `rest / ${n}`;
      lines.push(`let q${d} = ${quotient}; let c${d} = rest - q${d} * ${n}; rest = q${d};`);
      coordinate = `c${d}`;
    }
    if (padded && (padded.before[d] !== 0 || padded.sizes[d] !== dims[d])) {
      lines.push(`let p${d} = ${coordinate} - ${uniforms.word(padded.before[d] ?? 0)};`);
      checks.push(`p${d} < ${uniforms.word(padded.sizes[d] ?? 0)}`);
      coordinate = `p${d}`;
    }
    if (strides[d] === 0) continue;
    lines.push(`at += ${coordinate} * ${uniforms.word(strides[d] ?? 0)};`);
  }
  const body = lines.join("\n  ");
  if (checks.length === 0) return `fn ${name}(i: u32) -> u32 {\n  ${body}\n  return at;\n}\n`;
  return `fn ${name}(i: u32) -> u32 {\n  ${body}\n  return select(0xffffffffu, at, ${checks.join(" && ")});\n}\n`;
}

export const isChecked = (map: IndexMap): boolean =>
  map.padded !== null && map.padded.before.some((b, d) => b !== 0 || map.padded?.sizes[d] !== map.dims[d]);

/** The index map of an iteration in row-major order over `shape` when only `axes` vary; the others stay at 0. */
export function axesMap(shape: Shape, axes: readonly number[]): IndexMap {
  const strides: number[] = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  const view = { shape: axes.map((a) => shape[a] ?? 1), strides: axes.map((a) => strides[a] ?? 0), offset: 0 };
  return mapOf(sizeOf(view.shape) === 0 ? { ...view, shape: [] } : view);
}
