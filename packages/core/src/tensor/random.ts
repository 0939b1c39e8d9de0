import { checkShape, type Shape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { random } from "../primitives/structural.ts";
import { Tensor, tensor } from "./tensor.ts";

const UNIFORM = 1;
const NORMAL = 2;

function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Counter-based random numbers (Philox 4×32-10): a tensor's numbers depend on the seed and on how many draws came before, not on the
 * adapter, the kernel or the order in which tensors are realised.
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
    return new Tensor(new Node(random, [key.node], [kind], checkShape("Rng", shape), "f32"));
  }
  /** Standard normal numbers. */
  normal(shape: Shape): Tensor {
    return this.#draw(NORMAL, shape);
  }
  /** Uniform numbers in [low, high). */
  uniform(shape: Shape, low = 0, high = 1): Tensor {
    const u = this.#draw(UNIFORM, shape);
    return low === 0 && high === 1 ? u : u.mul(high - low).add(low);
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
