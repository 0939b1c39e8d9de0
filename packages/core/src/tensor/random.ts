import { DTypeError, ShapeError } from "../base/errors.ts";
import { checkShape, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { argsortOp } from "../primitives/argsort.ts";
import { random } from "../primitives/structural.ts";
import { normalShare } from "../random/normal-share.ts";
import { tensor } from "./create.ts";
import { Tensor } from "./tensor.ts";

const BITS = 0;
const UNIFORM = 1;
const NORMAL = 2;

function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Counter-based random numbers (Philox 4×32-10): a tensor's numbers depend on the seed and on how many draws came before, not on the
 * adapter, the kernel or the order in which tensors are realised. Bits, uniform numbers, whole numbers and permutations are the same
 * everywhere; normal numbers are as accurate as the adapter's log, sin and cos.
 */
export class Rng {
  readonly #key: readonly [number, number];
  #draws = 0;

  constructor(seed: number, stream = 0) {
    this.#key = [seed >>> 0, (Math.floor(seed / 2 ** 32) ^ stream) >>> 0];
  }

  #draw(kind: number, shape: Shape): Tensor {
    const draw = this.#draws++;
    const key = tensor(new Uint32Array([...this.#key, draw >>> 0, Math.floor(draw / 2 ** 32)]));
    return new Tensor(new Node(random, [key.node], [kind], checkShape("Rng", shape), kind === BITS ? "u32" : "f32"));
  }
  /** Words of 32 random bits, u32. */
  bits(shape: Shape): Tensor {
    return this.#draw(BITS, shape);
  }
  /** Standard normal numbers. */
  normal(shape: Shape): Tensor {
    return this.#draw(NORMAL, shape);
  }
  /** Normal numbers within [low, high] standard deviations, by the inverse of the distribution. */
  truncatedNormal(shape: Shape, low = -2, high = 2): Tensor {
    if (!(low < high)) throw new ShapeError(`truncatedNormal: low must be less than high, got ${low} and ${high}`);
    const [from, to] = [normalShare(low), normalShare(high)];
    // u in (0, 1), so that no end gives an infinity
    const u = this.uniform(shape).add(2 ** -25);
    return u
      .mul(2 * (to - from))
      .add(2 * from - 1)
      .erfinv()
      .mul(Math.SQRT2)
      .clamp(low, high);
  }
  /** Uniform numbers in [low, high). */
  uniform(shape: Shape, low = 0, high = 1): Tensor {
    const u = this.#draw(UNIFORM, shape);
    return low === 0 && high === 1 ? u : u.mul(high - low).add(low);
  }
  /** Whole numbers in [low, high), i32. Their probabilities differ by less than (high − low)/2³². */
  randint(shape: Shape, low: number, high: number): Tensor {
    const span = high - low;
    if (!Number.isInteger(low) || !Number.isInteger(high) || span < 1 || low < -(2 ** 31) || high > 2 ** 31)
      throw new DTypeError(
        `randint: low and high must be whole numbers of 32 bits with low < high, got ${low} and ${high}`,
      );
    const bits = this.bits(shape);
    // all of i32 is one more than a word can hold
    return (span === 2 ** 32 ? bits : bits.remainder(span)).cast("i32").add(low);
  }
  /** True with probability p. */
  bernoulli(shape: Shape, p: number): Tensor {
    return this.uniform(shape).lt(p);
  }
  /** 0 … n − 1 in random order, i32. */
  permutation(n: number): Tensor {
    const bits = this.bits([1, n]);
    return new Tensor(new Node(argsortOp, [bits.node], [0], [1, n], "i32")).reshape([n]);
  }
  /** An independent generator: equal labels give equal generators. */
  fork(label: string | number): Rng {
    const mixed = Math.imul(this.#key[1] ^ hashLabel(String(label)), 0x9e3779b1) >>> 0;
    return new Rng(this.#key[0], mixed);
  }
  /** Draws so far: a generator restored with it goes on where it was. */
  get draws(): number {
    return this.#draws;
  }
  /** Skips to a number of draws. */
  seek(draws: number): this {
    this.#draws = draws;
    return this;
  }
}
