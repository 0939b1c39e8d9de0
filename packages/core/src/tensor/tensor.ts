import type { DType, TypedArray } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { checkShape, formatShape, normalizeAxes, normalizeAxis, sameShape, sizeOf, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { assignOp } from "../primitives/assign.ts";
import { elementwise, type ElementwiseName } from "../primitives/elementwise.ts";
import { matmul } from "../primitives/matmul.ts";
import * as structural from "../primitives/structural.ts";
import { disposeNode, readTensor, realizeNodes, type UpdateTarget } from "../schedule/realize.ts";
import * as build from "./build.ts";
import { formatValues } from "./format.ts";

/** What a reduction reduces. */
export interface ReduceOptions {
  /** Axes to reduce; all by default. Negative axes count from the back. */
  readonly axis?: number | readonly number[];
  /** Keep reduced axes with size 1. */
  readonly keepdim?: boolean;
}

/** The other operand of an op: a tensor, which broadcasts, or a number, which takes the dtype of the first. */
export type Operand = Tensor | number;

/**
 * A lazy n-dimensional array. Methods record operations; `realize()` and `data()` run them. A tensor needs no `dispose()`: what a plan
 * computes in between lives in the plan's own buffers.
 */
export class Tensor {
  /** @internal */
  node: Node;
  /** @internal In-place updates that realising this token performs. */
  targets: readonly UpdateTarget[] | null = null;

  /** @internal */
  constructor(node: Node) {
    this.node = node;
  }

  /** Sizes of the axes; [] for a scalar. */
  get shape(): Shape {
    return this.node.shape;
  }
  /** Type of the elements. */
  get dtype(): DType {
    return this.node.dtype;
  }
  /** Number of elements: the product of the shape, 1 for a scalar. */
  get size(): number {
    return sizeOf(this.node.shape);
  }
  /** Number of axes. */
  get ndim(): number {
    return this.node.shape.length;
  }

  #unary(name: ElementwiseName, dtype = this.dtype): Tensor {
    const op = elementwise[name];
    build.expectDType(name, this.dtype, op.takes);
    return new Tensor(build.elementwiseNode(op, [this.node], dtype));
  }
  #binary(name: ElementwiseName, other: Operand, dtype?: DType): Tensor {
    const op = elementwise[name];
    const [a, b] = build.broadcastPair(name, this.node, operandNode(other, this.dtype));
    build.expectDType(name, a.dtype, op.takes);
    return new Tensor(build.elementwiseNode(op, [a, b], dtype ?? a.dtype));
  }

  /** this + other. Shapes broadcast, here and in all ops of two operands; dtypes meet in the wider one. */
  add(other: Operand): Tensor {
    return this.#binary("add", other);
  }
  /** this − other */
  sub(other: Operand): Tensor {
    return this.#binary("sub", other);
  }
  /** this · other, element by element; `matmul` is the matrix product. */
  mul(other: Operand): Tensor {
    return this.#binary("mul", other);
  }
  /** this / other; of whole numbers the quotient rounded towards 0. */
  div(other: Operand): Tensor {
    return this.#binary("div", other);
  }
  /** A negative base gives NaN but for whole exponents; whole numbers up to ±16 are multiplied out. */
  pow(other: Operand): Tensor {
    if (typeof other !== "number" || !Number.isInteger(other) || Math.abs(other) > 16)
      return this.#binary("pow", other);
    if (other < 0) return this.pow(-other).reciprocal();
    if (other === 0) return full(this.shape, 1, this.dtype);
    const half = other === 1 ? this : this.pow(Math.floor(other / 2)).square();
    return other === 1 || other % 2 === 0 ? half : half.mul(this);
  }
  /** The quotient rounded down; no gradient. */
  floorDivide(other: Operand): Tensor {
    return this.#binary("floorDivide", other);
  }
  /** The quotient rounded towards 0; no gradient. */
  truncDivide(other: Operand): Tensor {
    return this.#binary("truncDivide", other);
  }
  /** What floorDivide leaves: it has the divisor's sign. */
  remainder(other: Operand): Tensor {
    return this.#binary("remainder", other);
  }
  /** What truncDivide leaves: it has the dividend's sign. */
  fmod(other: Operand): Tensor {
    return this.#binary("fmod", other);
  }
  /** The larger of both, NaN if either is; equal operands share the gradient. */
  maximum(other: Operand): Tensor {
    return this.#binary("maximum", other);
  }
  /** The smaller of both, NaN if either is; equal operands share the gradient. */
  minimum(other: Operand): Tensor {
    return this.#binary("minimum", other);
  }
  /** this = other, bool; false for NaN. */
  eq(other: Operand): Tensor {
    return this.#binary("eq", other, "bool");
  }
  /** this ≠ other, bool; true for NaN. */
  ne(other: Operand): Tensor {
    return this.#binary("ne", other, "bool");
  }
  /** this < other, bool */
  lt(other: Operand): Tensor {
    return this.#binary("lt", other, "bool");
  }
  /** this ≤ other, bool */
  le(other: Operand): Tensor {
    return this.#binary("le", other, "bool");
  }
  /** this > other, bool */
  gt(other: Operand): Tensor {
    return this.#binary("gt", other, "bool");
  }
  /** this ≥ other, bool */
  ge(other: Operand): Tensor {
    return this.#binary("ge", other, "bool");
  }
  /** −x */
  neg(): Tensor {
    return this.#unary("neg");
  }
  /** |x|, with slope 0 at 0. */
  abs(): Tensor {
    return this.#unary("abs");
  }
  /** e^x; overflows to infinity. */
  exp(): Tensor {
    return this.#unary("exp");
  }
  /** Natural logarithm; −∞ of 0, NaN below. */
  log(): Tensor {
    return this.#unary("log");
  }
  /** 2^x */
  exp2(): Tensor {
    return this.#unary("exp2");
  }
  /** e^x − 1, exact near 0. */
  expm1(): Tensor {
    return this.#unary("expm1");
  }
  /** Logarithm to base 2. */
  log2(): Tensor {
    return this.#unary("log2");
  }
  /** log(1 + x), exact near 0. */
  log1p(): Tensor {
    return this.#unary("log1p");
  }
  /** Sine of radians. */
  sin(): Tensor {
    return this.#unary("sin");
  }
  /** Cosine of radians. */
  cos(): Tensor {
    return this.#unary("cos");
  }
  /** Tangent of radians. */
  tan(): Tensor {
    return this.#unary("tan");
  }
  /** Angle in [−π/2, π/2] with this sine. */
  asin(): Tensor {
    return this.#unary("asin");
  }
  /** Angle in [0, π] with this cosine. */
  acos(): Tensor {
    return this.#unary("acos");
  }
  /** Angle in (−π/2, π/2) with this tangent. */
  atan(): Tensor {
    return this.#unary("atan");
  }
  /** The angle of the point (other, this), in (−π, π]. */
  atan2(other: Operand): Tensor {
    return this.#binary("atan2", other);
  }
  /** √x; NaN below 0. */
  sqrt(): Tensor {
    return this.#unary("sqrt");
  }
  /** 1 / √x */
  rsqrt(): Tensor {
    return this.#unary("rsqrt");
  }
  /** x² */
  square(): Tensor {
    return this.#unary("square");
  }
  /** 1 / x */
  reciprocal(): Tensor {
    return this.#unary("reciprocal");
  }
  /** (e^x − e^−x) / (e^x + e^−x) */
  tanh(): Tensor {
    return this.#unary("tanh");
  }
  /** 1 / (1 + e^−x) */
  sigmoid(): Tensor {
    return this.#unary("sigmoid");
  }
  /** max(0, x), with slope 0 at 0. */
  relu(): Tensor {
    return this.#unary("relu");
  }
  /** x·sigmoid(x) */
  silu(): Tensor {
    return this.#unary("silu");
  }
  /** GELU in its tanh form: 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))). */
  gelu(): Tensor {
    return this.#unary("gelu");
  }
  /** GELU in its exact form: x·Φ(x). */
  geluExact(): Tensor {
    return this.mul(this.mul(Math.SQRT1_2).erf().add(1)).mul(0.5);
  }
  /** The error function 2/√π ∫₀ˣ e^{−t²} dt. */
  erf(): Tensor {
    return this.#unary("erf");
  }
  /** The inverse of erf. */
  erfinv(): Tensor {
    return this.#unary("erfinv");
  }
  /** −1, 0 or 1; no gradient. */
  sign(): Tensor {
    return this.#unary("sign");
  }
  /** Rounds down; no gradient. */
  floor(): Tensor {
    return this.#unary("floor");
  }
  /** Rounds up; no gradient. */
  ceil(): Tensor {
    return this.#unary("ceil");
  }
  /** Rounds to the nearest whole number, halves to the even one; no gradient. */
  round(): Tensor {
    return this.#unary("round");
  }
  /** Rounds towards 0. */
  trunc(): Tensor {
    return this.#unary("trunc");
  }
  /** The nearest numbers that f16 or bf16 has, still as f32; gradients pass as they are. */
  roundTo(dtype: "f16" | "bf16"): Tensor {
    return this.#unary(dtype === "f16" ? "toF16" : "toBf16");
  }
  /** Where the elements are NaN, bool. */
  isNan(): Tensor {
    return this.#unary("isNan", "bool");
  }
  /** Where the elements are ∞ or −∞, bool. */
  isInf(): Tensor {
    return this.#unary("isInf", "bool");
  }
  /** Where the elements are neither NaN nor infinite, bool. */
  isFinite(): Tensor {
    return this.#unary("isFinite", "bool");
  }
  /** Logical negation of a bool tensor. */
  not(): Tensor {
    return new Tensor(build.elementwiseNode(elementwise.not, [this.cast("bool").node], "bool"));
  }
  /** Logical and; what is not 0 counts as true. */
  and(other: Tensor): Tensor {
    return this.cast("bool").#binary("and", other.cast("bool"), "bool");
  }
  /** Logical or; what is not 0 counts as true. */
  or(other: Tensor): Tensor {
    return this.cast("bool").#binary("or", other.cast("bool"), "bool");
  }
  /** Logical exclusive or; what is not 0 counts as true. */
  xor(other: Tensor): Tensor {
    return this.cast("bool").#binary("ne", other.cast("bool"), "bool");
  }
  /** Each bit flipped, of i32 or u32. */
  bitNot(): Tensor {
    return this.#unary("bitNot");
  }
  /** Bits that both have, of i32 or u32. */
  bitAnd(other: Operand): Tensor {
    return this.#binary("bitAnd", other);
  }
  /** Bits that either has, of i32 or u32. */
  bitOr(other: Operand): Tensor {
    return this.#binary("bitOr", other);
  }
  /** Bits that one of both has, of i32 or u32. */
  bitXor(other: Operand): Tensor {
    return this.#binary("bitXor", other);
  }
  /** Bits moved up by `other` places, of i32 or u32. */
  shiftLeft(other: Operand): Tensor {
    return this.#binary("shiftLeft", other);
  }
  /** Keeps the sign of an i32. */
  shiftRight(other: Operand): Tensor {
    return this.#binary("shiftRight", other);
  }
  /** Values within [min, max]; null leaves a side open. NaN stays NaN. */
  clamp(min: Operand | null, max: Operand | null = null): Tensor {
    const above = min === null ? this : where(this.lt(min), min, this);
    return max === null ? above : where(above.gt(max), max, above);
  }
  /** The values as another dtype, PyTorch's `to`: floats lose their fraction to become whole, anything but 0 is true. */
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : new Tensor(build.castNode(this.node, dtype));
  }
  /** `this` where the condition holds, else `other`; all three broadcast. */
  where(condition: Tensor, other: Operand): Tensor {
    return where(condition, this, other);
  }

  /** Sum over axes; of bool an i32, of u8 a u32. */
  sum(options: ReduceOptions = {}): Tensor {
    return reduce("sum", structural.reduceSum, this, options, 1);
  }
  /** Mean over axes, of floats. */
  mean(options: ReduceOptions = {}): Tensor {
    build.expectDType("mean", this.dtype, ["f32"]);
    const axes = normalizeAxes("mean", options.axis, this.ndim);
    const count = axes.reduce((n, a) => n * (this.shape[a] ?? 1), 1);
    return reduce("mean", structural.reduceSum, this, options, 1 / count);
  }
  /** @throws ShapeError over an axis of size 0, which has no maximum. */
  max(options: ReduceOptions = {}): Tensor {
    return reduce("max", structural.reduceMax, this, options, 1);
  }
  /** Least element over axes. @throws ShapeError over an axis of size 0, which has no minimum. */
  min(options: ReduceOptions = {}): Tensor {
    return reduce("min", structural.reduceMin, this, options, 1);
  }
  /** Σ (x − mean)² / (n − correction), in two passes; a correction of 1 is Bessel's. */
  variance({ correction = 0, ...options }: ReduceOptions & { readonly correction?: number } = {}): Tensor {
    const axes = normalizeAxes("variance", options.axis, this.ndim);
    const count = axes.reduce((n, a) => n * (this.shape[a] ?? 1), 1);
    const centred = this.sub(this.mean({ ...options, keepdim: true }));
    return reduce("variance", structural.reduceSum, centred.square(), options, 1 / Math.max(0, count - correction));
  }

  /** One size may be −1: it takes what is left. */
  reshape(shape: Shape): Tensor {
    const known = shape.reduce((n, s) => (s === -1 ? n : n * s), 1);
    const wanted = shape.map((s) => (s === -1 && known > 0 ? this.size / known : s));
    const isShape = wanted.every((n) => Number.isInteger(n) && n >= 0);
    if (!isShape || shape.filter((s) => s === -1).length > 1 || sizeOf(wanted) !== this.size)
      throw new ShapeError(
        `reshape: ${formatShape(shape)} must hold the ${this.size} elements of ${formatShape(this.shape)}`,
      );
    return new Tensor(build.reshapeNode(this.node, wanted));
  }
  /** Axes in another order: axis i of the result is `order[i]` of this. Nothing is copied. */
  permute(order: readonly number[]): Tensor {
    const axes = order.map((a) => normalizeAxis("permute", a, this.ndim));
    if (new Set(axes).size !== this.ndim || axes.length !== this.ndim)
      throw new ShapeError(`permute: order must name each of ${this.ndim} axes once, got ${formatShape(order)}`);
    return new Tensor(build.permuteNode(this.node, axes));
  }
  /** Two axes exchanged, the last two by default. Nothing is copied. */
  transpose(a = -1, b = -2): Tensor {
    const order = this.shape.map((_, i) => i);
    const x = normalizeAxis("transpose", a, this.ndim);
    const y = normalizeAxis("transpose", b, this.ndim);
    order[x] = y;
    order[y] = x;
    return this.permute(order);
  }
  /** Repeats axes of size 1, and adds axes in front; nothing is copied. */
  expand(shape: Shape): Tensor {
    return new Tensor(build.expandNode("expand", this.node, checkShape("expand", shape)));
  }
  /** Without one axis. @throws ShapeError unless its size is 1 */
  squeeze(axis: number): Tensor {
    const a = normalizeAxis("squeeze", axis, this.ndim);
    if (this.shape[a] !== 1)
      throw new ShapeError(`squeeze: axis ${axis} must have size 1, got shape ${formatShape(this.shape)}`);
    return this.reshape(this.shape.filter((_, i) => i !== a));
  }
  /** With a new axis of size 1 that stands at `axis` in the result. */
  unsqueeze(axis: number): Tensor {
    const a = normalizeAxis("unsqueeze", axis, this.ndim + 1);
    return this.reshape([...this.shape.slice(0, a), 1, ...this.shape.slice(a)]);
  }
  /** Elements start, start + step, … before `end` of one axis. Negative positions count from the back. */
  slice(axis: number, start: number, end?: number, step = 1): Tensor {
    const a = normalizeAxis("slice", axis, this.ndim);
    const n = this.shape[a] ?? 0;
    if (!Number.isInteger(step) || step < 1)
      throw new ShapeError(`slice: step must be a whole number of at least 1, got ${step}`);
    if (!Number.isInteger(start) || !Number.isInteger(end ?? n))
      throw new ShapeError(`slice: start and end must be whole numbers, got ${start} and ${end}`);
    const clampIndex = (i: number): number => Math.min(n, Math.max(0, i < 0 ? i + n : i));
    const from = clampIndex(start);
    const to = Math.max(from, clampIndex(end ?? n));
    if (from === 0 && to === n && step === 1) return this;
    const shape = this.shape.map((s, i) => (i === a ? Math.ceil((to - from) / step) : s));
    const at = (value: number, other: number): number[] => shape.map((_, i) => (i === a ? value : other));
    return new Tensor(build.sliceNode(this.node, at(from, 0), at(step, 1), shape));
  }
  /** One axis in reverse. */
  flip(axis: number): Tensor {
    const a = normalizeAxis("flip", axis, this.ndim);
    const n = this.shape[a] ?? 0;
    if (n <= 1) return this;
    const at = (value: number, other: number): number[] => this.shape.map((_, i) => (i === a ? value : other));
    return new Tensor(build.sliceNode(this.node, at(n - 1, 0), at(-1, 1), this.shape));
  }
  /** Adds `pads[axis] = [before, after]` elements of `value` around the tensor. */
  pad(pads: readonly (readonly [number, number])[], value = 0): Tensor {
    if (pads.length !== this.ndim || !pads.flat().every((p) => Number.isInteger(p) && p >= 0))
      throw new ShapeError(
        `pad: must be one [before, after] of whole numbers an axis (${this.ndim}), got ${JSON.stringify(pads)}`,
      );
    if (pads.every(([before, after]) => before === 0 && after === 0)) return this;
    const [before, after] = [pads.map((p) => p[0]), pads.map((p) => p[1])];
    return new Tensor(build.padNode(this.node, before, after, value));
  }
  /** Pieces of equal length (the last may be shorter) along an axis. */
  chunk(count: number, axis = 0): Tensor[] {
    const n = this.shape[normalizeAxis("chunk", axis, this.ndim)] ?? 0;
    if (!Number.isInteger(count) || count < 1)
      throw new ShapeError(`chunk: count must be a whole number of at least 1, got ${count}`);
    const length = Math.max(1, Math.ceil(n / count));
    return Array.from({ length: Math.max(1, Math.ceil(n / length)) }, (_, i) =>
      this.slice(axis, i * length, Math.min(n, (i + 1) * length)),
    );
  }
  /** Pieces of given lengths along an axis. @throws ShapeError unless they add up to its size */
  split(sizes: readonly number[], axis = 0): Tensor[] {
    const n = this.shape[normalizeAxis("split", axis, this.ndim)] ?? 0;
    if (checkShape("split", sizes).reduce((a, b) => a + b, 0) !== n)
      throw new ShapeError(`split: sizes must add up to ${n}, got ${formatShape(sizes)}`);
    let start = 0;
    return sizes.map((length) => this.slice(axis, start, (start += length)));
  }
  /** Each element of an axis `times` times in a row (nearest-neighbour upsampling). */
  repeat(times: number, axis: number): Tensor {
    const a = normalizeAxis("repeat", axis, this.ndim);
    const split = [...this.shape.slice(0, a + 1), times, ...this.shape.slice(a + 1)];
    return this.unsqueeze(a + 1)
      .expand(split)
      .reshape(this.shape.map((n, i) => (i === a ? n * times : n)));
  }

  /** Matrix product of the last two axes; leading axes broadcast. A 1-D operand is a row on the left, a column on the right. */
  matmul(other: Tensor): Tensor {
    if (other.ndim === 1) return this.matmul(other.unsqueeze(1)).squeeze(-1);
    if (this.ndim === 1) return this.unsqueeze(0).matmul(other).squeeze(-2);
    return new Tensor(build.matmulNode(matmul, this.node, other.node));
  }

  /** The same values, cut off from the gradient. */
  detach(): Tensor {
    return new Tensor(build.detachNode(this.node));
  }

  /**
   * An in-place update of this realised tensor: `await realize([x.assign(y)])` writes y's values into x's own buffer, after everything
   * else in the same call has read the old ones.
   * @throws ShapeError when the shapes differ
   */
  assign(value: Tensor): Tensor {
    if (!sameShape(this.shape, value.shape) || this.dtype !== value.dtype)
      throw new ShapeError(
        `assign: value must be ${this.dtype} ${formatShape(this.shape)}, got ${value.dtype} ${formatShape(value.shape)}`,
      );
    return updateToken(new Node(assignOp, [this.node, value.node], [], [0], "f32"), [this]);
  }

  /** Runs what this tensor depends on and keeps its values on the device. */
  async realize(): Promise<this> {
    await realize([this]);
    return this;
  }
  /** The values in row-major order. Bool comes as 0 and 1 in a Uint32Array, f16 and bf16 in a Float32Array. */
  data(): Promise<TypedArray> {
    return readTensor(this);
  }
  /** Dtype, shape, and what the values will come from. */
  toString(): string {
    const from = this.node.op
      ? `lazy ${this.node.op.name}`
      : this.node.source?.kind === "device"
        ? "on the device"
        : "on the host";
    return `Tensor(${this.dtype} ${formatShape(this.shape)}, ${from})`;
  }
  /** What Node's `console.log` shows: it cannot wait for values, which `print` does. @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const { source } = this.node;
    return source?.kind === "host"
      ? `${this.toString()} ${formatValues(this.shape, source.array, this.dtype)}`
      : this.toString();
  }
  /** Logs the values, long axes shortened, under an optional title. */
  async print(title = ""): Promise<this> {
    console.log(
      `${title === "" ? "" : `${title} `}${this.toString()}\n${formatValues(this.shape, await this.data(), this.dtype)}`,
    );
    return this;
  }
  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ShapeError(`item: tensor must hold one element, got shape ${formatShape(this.shape)}`);
    const [value = NaN] = await this.data();
    return value;
  }
  /** Gives the tensor's buffer back now rather than when it is collected. Using it afterwards is an error. */
  dispose(): void {
    disposeNode(this.node);
  }
  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @internal */
export function updateToken(node: Node, targets: readonly Tensor[]): Tensor {
  const token = new Tensor(node);
  token.targets = targets;
  return token;
}

/** Runs everything the tensors depend on in one plan and keeps their values on the device; update tokens write in place. */
export function realize(tensors: readonly Tensor[]): Promise<void> {
  return realizeNodes(tensors);
}

function operandNode(other: Operand, dtype: DType): Node {
  return typeof other === "number" ? build.constantNode(other, [], dtype) : other.node;
}

/**
 * Elements of `a` where the condition holds, else of `b`; all three broadcast. A number takes the other's dtype.
 * @throws DTypeError when the dtypes of `a` and `b` differ
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const dtype = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "f32";
  const pair = build.broadcastPair("where", operandNode(a, dtype), operandNode(b, dtype));
  const nodes = build.broadcastAll("where", [condition.cast("bool").node, ...pair]);
  return new Tensor(build.elementwiseNode(elementwise.where, nodes, pair[0].dtype));
}

function reduce(
  name: string,
  op: structural.ReduceOp,
  x: Tensor,
  { axis, keepdim = false }: ReduceOptions,
  scale: number,
): Tensor {
  const axes = normalizeAxes(name, axis, x.ndim);
  if (x.dtype === "bool") return reduce(name, op, x.cast("i32"), { axis: axes, keepdim }, scale);
  if (x.dtype === "u8" && op === structural.reduceSum)
    return reduce(name, op, x.cast("u32"), { axis: axes, keepdim }, scale);
  if (op !== structural.reduceSum && x.size === 0 && axes.some((a) => x.shape[a] === 0))
    throw new ShapeError(`${name}: reduced axes must not be empty, got shape ${formatShape(x.shape)}`);
  const kept = new Tensor(build.reduceNode(op, x.node, axes, scale));
  return keepdim ? kept : kept.reshape(x.shape.filter((_, i) => !axes.includes(i)));
}

/** `value` everywhere: a constant in the kernels that read it, in memory only once it is realised itself. */
export const full = (shape: Shape, value: number, dtype: DType = "f32"): Tensor =>
  new Tensor(build.constantNode(value, checkShape("full", shape), dtype));
