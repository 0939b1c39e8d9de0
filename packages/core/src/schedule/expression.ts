import { isPacked, storageType, wgslType, wideType, type DType } from "../base/dtype.ts";
import { nearest } from "../base/packed.ts";
import { contiguousStrides } from "../base/shape.ts";
import type { Node } from "../graph/node.ts";
import { philoxWgsl } from "../random/philox.ts";
import { accessOf, indexFunction, isChecked, Uniforms, type IndexMap } from "./index-map.ts";
import { packedAccess } from "../kernels/snippets/packed-access.ts";
import type { Value } from "./spec.ts";
import { windowBytes, windowOf, type Window } from "./window.ts";

export type Lanes = 1 | 4;

/** Bytes of the types that storage is bound as. */
const STORED_BYTES = {
  f32: 4,
  i32: 4,
  u32: 4,
  "vec2<u32>": 8,
  "vec4<f32>": 16,
  "vec4<i32>": 16,
  "vec4<u32>": 16,
} as const;

/** What a fused kernel reads for a node that is not computed inside it. */
export interface Source {
  readonly value: Value;
  readonly map: IndexMap;
}

/** What one kernel of several works on, where a tensor is too large for one binding. */
export interface Piece {
  readonly first: number;
  readonly count: number;
}

/** The planner's answers about nodes. */
export interface Resolver {
  /** The op's expression is part of the kernel that reads it. */
  inlined(node: Node): boolean;
  source(node: Node): Source;
  /** Bytes that the adapter binds. */
  readonly limit: number;
  /** The input of an inlined pad, before padding. */
  paddedSource(node: Node): Source;
  /** A variable of the kernel that holds the node's value at the elements that are written now: one each, or one for all. */
  local?(node: Node): string | null;
  /** Where element `i` lies, where the kernel knows it without taking `i` apart. */
  address?(map: IndexMap): string | null;
}

/** WGSL of a number in a kernel with these uniforms. */
export function literal(given: number, type: DType, uniforms: Uniforms): string {
  const dtype = wideType(type);
  const value = nearest(given, type);
  if (dtype === "bool") return value ? "true" : "false";
  if (dtype === "u32") return `${value >>> 0}u`;
  // -2147483648i is minus of a number that is no i32
  if (dtype === "i32") return value === -(2 ** 31) ? "(-2147483647i - 1i)" : `${value | 0}i`;
  // WGSL has no literal for NaN and infinities, and constant expressions may not make them
  if (!Number.isFinite(Math.fround(value))) {
    const bits = Number.isNaN(value) ? "0x7fc00000u" : value > 0 ? "0x7f800000u" : "0xff800000u";
    return `bitcast<f32>(${bits} | ${uniforms.zero})`;
  }
  const rounded = Math.fround(value);
  return Number.isInteger(rounded) && Math.abs(rounded) < 1e9 ? `${rounded}.0` : `${rounded}f`.replace("e+", "e");
}

/** What all expressions of one kernel share: buffers, uniforms, functions. */
export class KernelText {
  readonly uniforms: Uniforms;
  readonly values: Value[] = [];
  /** What of each value is bound; null: all of it. */
  readonly windows: (Window | null)[] = [];
  readonly declarations: string[] = [];
  readonly functions: string[] = [];
  /** Names of bindings, and of functions that choose among them. */
  readonly names = new Map<string, string>();
  readonly #numbers = new Map<Value, number>();
  readonly #helpers = new Set<string>();
  readonly #firstBinding: number;

  constructor(uniforms = new Uniforms(), firstBinding = 0) {
    this.uniforms = uniforms;
    this.#firstBinding = firstBinding;
  }

  /** Declares functions that the kernel calls. */
  use(functions: string): void {
    this.#helpers.add(functions);
  }

  numberOf(value: Value): number {
    const number = this.#numbers.get(value) ?? this.#numbers.size;
    this.#numbers.set(value, number);
    return number;
  }

  /** Name of an array of `type` that shows the value. */
  bind(value: Value, type: string, window: Window | null = null): string {
    const key = `${this.numberOf(value)}:${type}:${window?.offset ?? ""}`;
    const known = this.names.get(key);
    if (known) return known;
    const index = this.values.push(value) - 1;
    this.windows.push(window);
    const name = `x${index}`;
    this.names.set(key, name);
    this.declarations.push(
      `@group(0) @binding(${this.#firstBinding + index}) var<storage, read> ${name}: array<${type}>;`,
    );
    return name;
  }

  get header(): string {
    return [...this.#helpers, ...this.functions].join("");
  }
}

/**
 * Turns the expression above one kernel's output into WGSL statements for lane group `i` (element index `i`, i+1, … i+lanes−1).
 */
export class ExpressionWriter {
  readonly kernel: KernelText;
  readonly #statements: string[] = [];
  readonly #names = new Map<Node, string>();
  readonly #lanes: Lanes;
  readonly #resolve: Resolver;
  readonly #piece: Piece | null;

  /**
   * @param piece the elements that `i` runs over; all by default
   * @param kernel shared by the writers of one kernel
   */
  constructor(lanes: Lanes, resolve: Resolver, piece: Piece | null = null, kernel = new KernelText()) {
    this.#lanes = lanes;
    this.#resolve = resolve;
    this.#piece = piece;
    this.kernel = kernel;
  }

  type(dtype: string): string {
    return this.#lanes === 4 ? `vec4<${dtype}>` : dtype;
  }

  /** Name of the variable that holds the node's value. */
  write(node: Node): string {
    const known = this.#names.get(node);
    if (known) return known;
    const expression = this.#expression(node);
    const name = `t${this.#names.size}`;
    this.#names.set(node, name);
    this.#statements.push(`let ${name} = ${expression};`);
    return name;
  }

  #expression(node: Node): string {
    const { op } = node;
    const type = this.type(wgslType(node.dtype));
    const local = this.#resolve.local?.(node);
    if (local) return this.#lanes === 1 ? local : `${type}(${local})`;
    if (op === null || !this.#resolve.inlined(node)) return this.#load(node, this.#resolve.source(node));
    if (op.kind === "const") return `${type}(${literal(node.attrs[0] ?? 0, node.dtype, this.kernel.uniforms)})`;
    if (op.kind === "iota") return this.#iota(node);
    if (op.kind === "random") return this.#random(node);
    if (op.kind === "pad") return this.#load(node, this.#resolve.paddedSource(node));
    if (op.kind === "movement") return this.write(node.inputs[0] ?? node);
    if (op.kind !== "elementwise") throw new Error(`planner: ${op.name} cannot be fused`);
    for (const text of op.functions?.(this.type("f32")) ?? []) this.kernel.use(text);
    return op.wgsl(
      node.inputs.map((n) => this.write(n)),
      type,
      node.attrs,
    );
  }

  /** Expression: element `index` of an array of `type`. */
  #fetch(value: Value, type: string, index: string): string {
    const { limit } = this.#resolve;
    if (value.bytes <= limit) return `${this.kernel.bind(value, type)}[${index}]`;
    const name = `fetch${this.kernel.numberOf(value)}_${type.replaceAll(/[<>]/g, "_")}`;
    if (!this.kernel.names.has(name)) {
      this.kernel.names.set(name, name);
      const bytes = windowBytes(limit);
      const whole = Math.ceil(value.bytes / 16) * 16;
      const each = this.kernel.uniforms.word(bytes / STORED_BYTES[type as keyof typeof STORED_BYTES]); // of the types that are bound
      const reads = Array.from({ length: Math.ceil(whole / bytes) }, (_, k) => {
        const x = this.kernel.bind(value, type, { offset: k * bytes, bytes: Math.min(bytes, whole - k * bytes) });
        return `if (at < ${k + 1}u * ${each}) { return ${x}[at - ${k}u * ${each}]; }`;
      });
      this.kernel.functions.push(`fn ${name}(at: u32) -> ${type} {\n  ${reads.join("\n  ")}\n  return ${type}();\n}\n`);
    }
    return `${name}(${index})`;
  }

  /** Expression: the elements at `i` of an array that lies as the iteration does. */
  #fetchLinear(value: Value, node: Node, map: IndexMap, type: string): string {
    const { lanes, piece } = { lanes: this.#lanes, piece: this.#piece };
    const shift = lanes === 4 ? " >> 2u" : "";
    if (value.bytes <= this.#resolve.limit || !piece) {
      const index = map.offset === 0 ? "i" : `(i + ${this.kernel.uniforms.word(map.offset)})`;
      return this.#fetch(value, type, `${index}${shift}`);
    }
    const { window, start } = windowOf(value, node.dtype, piece.first + map.offset, piece.count);
    return `${this.kernel.bind(value, type, window)}[(i + ${this.kernel.uniforms.word(map.offset - start)})${shift}]`;
  }

  #load(node: Node, { value, map }: Source): string {
    const lanes = this.#lanes;
    const access = accessOf(map, lanes);
    const type = this.type(wgslType(node.dtype));
    const packed = isPacked(node.dtype) ? packedAccess[node.dtype] : null;
    if (packed) this.kernel.use(packed.functions);
    const scalar = packed ? "u32" : storageType(node.dtype);
    const whole = packed && lanes === 4 ? packed.four : this.type(scalar);
    const fromStored = (expression: string, stored: string): string =>
      packed ? packed.load(expression) : node.dtype === "bool" ? `(${expression} != ${stored}(0u))` : expression;
    const read = (at: string): string => {
      const fetch = (index: string): string => this.#fetch(value, scalar, index);
      return packed ? packed.loadOne(fetch, at) : fromStored(fetch(at), scalar);
    };
    if (access === "linear" && (lanes === 4 || !packed))
      return fromStored(this.#fetchLinear(value, node, map, whole), whole);
    if (access === "linear") return read(map.offset === 0 ? "i" : `(i + ${this.kernel.uniforms.word(map.offset)})`);
    if (access === "splat" && map.dims.length <= 1 && (map.strides[0] ?? 0) === 0 && !map.padded)
      return `${type}(${read(this.kernel.uniforms.word(map.offset))})`;
    const checked = isChecked(map);
    const known = access === "gather" && lanes === 4 ? null : (this.#resolve.address?.(map) ?? null);
    const fn = `index${this.kernel.functions.length}`;
    if (known === null) this.kernel.functions.push(indexFunction(fn, map, this.kernel.uniforms));
    const setup = `let at = ${known ?? `${fn}(i)`};`;
    const fill = map.padded ? literal(map.padded.fill, node.dtype, this.kernel.uniforms) : "";
    if (access === "vector") {
      const four = fromStored(this.#fetch(value, whole, "at >> 2u"), whole);
      return this.#indexed(setup, checked ? guarded("at", four, `${type}(${fill})`, type) : four, type, checked);
    }
    if (access === "splat" || access === "strided") {
      const values = `${type}(${access === "splat" ? read("at") : this.#strided(map).map(read).join(", ")})`;
      return this.#indexed(setup, checked ? guarded("at", values, `${type}(${fill})`, type) : values, type, checked);
    }
    if (known !== null) return read(known);
    const lane = (k: number): string => {
      const at = `${fn}(i${k === 0 ? "" : ` + ${k}u`})`;
      return checked ? `load_${fn}(${at})` : read(at);
    };
    if (checked)
      this.kernel.functions.push(
        `fn load_${fn}(at: u32) -> ${wgslType(node.dtype)} {\n  if (at == 0xffffffffu) { return ${fill}; }\n  return ${read("at")};\n}\n`,
      );
    return lanes === 1 ? lane(0) : `${type}(${[0, 1, 2, 3].map(lane).join(", ")})`;
  }

  /** Places of four neighbours along the last axis, from the first one's. */
  #strided(map: IndexMap): string[] {
    const step = this.kernel.uniforms.word(map.strides.at(-1) ?? 0);
    return [0, 1, 2, 3].map((k) => `at + ${k}u * ${step}`);
  }

  /** A load whose place is computed first. */
  #indexed(setup: string, expression: string, type: string, checked: boolean): string {
    const name = `v${this.#statements.length}`;
    const declared = checked
      ? `var ${name}: ${type}; { ${setup} ${expression.replaceAll("RESULT", name)} }`
      : `var ${name}: ${type}; { ${setup} ${name} = ${expression}; }`;
    this.#statements.push(declared);
    return name;
  }

  #iota(node: Node): string {
    const [axis = 0] = node.attrs;
    const stride = this.kernel.uniforms.word(contiguousStrides(node.shape)[axis] ?? 1);
    const n = this.kernel.uniforms.word(node.shape[axis] ?? 1);
    const one = (k: number): string => `${wgslType(node.dtype)}(((i + ${k}u) / ${stride}) % ${n})`;
    return this.#lanes === 1 ? one(0) : `${this.type(wgslType(node.dtype))}(${[0, 1, 2, 3].map(one).join(", ")})`;
  }

  /** Element e is word e mod 4 of the Philox block at counter (e div 4) + base, so that lanes do not change the numbers. */
  #random(node: Node): string {
    this.kernel.use(philoxWgsl);
    const key = this.kernel.bind(this.#resolve.source(node.inputs[0] ?? node).value, "u32");
    const name = `r${this.#statements.length}`;
    const [kind = 0] = node.attrs;
    this.#statements.push(
      `let ${name} = philox4x32(vec4<u32>(i >> 2u, 0u, ${key}[2], ${key}[3]), vec2<u32>(${key}[0], ${key}[1]));`,
    );
    const block = `${name}v`;
    const value =
      kind === 0
        ? name
        : kind === 1
          ? `vec4<f32>(uniform01(${name}.x), uniform01(${name}.y), uniform01(${name}.z), uniform01(${name}.w))`
          : `vec4<f32>(boxMuller(${name}.x, ${name}.y), boxMuller(${name}.z, ${name}.w))`;
    this.#statements.push(`let ${block} = ${value};`);
    return this.#lanes === 4 ? block : `${block}[i & 3u]`;
  }

  get body(): string {
    return this.#statements.join("\n    ");
  }
}

const guarded = (at: string, whole: string, fill: string, _type: string): string =>
  `if (${at} == 0xffffffffu) { RESULT = ${fill}; } else { RESULT = ${whole}; }`;
