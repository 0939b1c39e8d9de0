import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/** A module of one input and one output, or a function such as an activation. */
export type Layer =
  | (Module & {
      /** What the layer makes of x. */
      forward(x: Tensor): Tensor;
    })
  | ((x: Tensor) => Tensor);

/** Modules in a row that are named by their places alone: "0.weight", as PyTorch's ModuleList. An array as a field does the same. */
export class ModuleList<M extends Module> extends Module implements Iterable<M> {
  readonly #modules: readonly M[];

  constructor(modules: Iterable<M>) {
    super();
    this.#modules = [...modules];
  }
  protected override fields(): Iterable<readonly [string, unknown]> {
    return this.#modules.map((module, i) => [String(i), module] as const);
  }
  /** Number of modules. */
  get length(): number {
    return this.#modules.length;
  }
  /** Negative places count from the back. */
  at(place: number): M | undefined {
    return this.#modules.at(place);
  }
  /** The modules in order. */
  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }
}

/**
 * Layers one after another. A parameter's name begins with its layer's place, functions counted: `new Sequential(linear, silu, linear)` has
 * "0.weight" and "2.weight", as PyTorch's.
 */
export class Sequential extends Module {
  readonly #layers: readonly Layer[];

  constructor(...layers: readonly Layer[]) {
    super();
    this.#layers = layers;
  }
  protected override fields(): Iterable<readonly [string, unknown]> {
    return this.#layers.map((layer, i) => [String(i), layer] as const);
  }
  /** The layers one after another. */
  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => (layer instanceof Module ? layer.forward(y) : layer(y)), x);
  }
}
