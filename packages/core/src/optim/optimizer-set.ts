import { OmniError } from "../base/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { NamedTensors, OptimizerState, SavedTensor, StepOptions } from "./optimizer.ts";

/** What takes steps: an optimiser, or several as one. */
export interface Stepping {
  /** Names of the parameters. */
  readonly names: readonly string[];
  /** Tokens of one update; see `Optimizer.step`. */
  step(grads: NamedTensors, options?: StepOptions): Tensor[];
  /** What a checkpoint needs. */
  state(): OptimizerState;
  /** Takes a state that `state()` gave, as plain values. */
  loadState(step: number, moments: Readonly<Record<string, SavedTensor>>): void;
}

/**
 * Several optimisers, each with parameters of its own, as one: Muon for the matrices and AdamW for the rest. Steps together: use `lrScale`
 * for a schedule, which keeps their learning rates apart.
 */
export class OptimizerSet implements Stepping {
  readonly #parts: readonly Stepping[];
  readonly #owner = new Map<string, Stepping>();

  /** @throws OmniError when two optimisers name the same parameter */
  constructor(parts: readonly Stepping[]) {
    this.#parts = parts;
    for (const part of parts)
      for (const name of part.names) {
        if (this.#owner.has(name))
          throw new OmniError(`OptimizerSet: each parameter must belong to one optimiser, got two for "${name}"`);
        this.#owner.set(name, part);
      }
  }
  get names(): readonly string[] {
    return [...this.#owner.keys()];
  }
  /** @throws OmniError when a gradient belongs to no parameter */
  step(grads: NamedTensors, options: StepOptions = {}): Tensor[] {
    const stray = Object.keys(grads).find((name) => !this.#owner.has(name));
    if (stray !== undefined)
      throw new OmniError(
        `OptimizerSet: gradient "${stray}" must belong to a parameter; parameters are named at construction`,
      );
    return this.#parts.flatMap((part) =>
      part.step(Object.fromEntries(Object.entries(grads).filter(([name]) => this.#owner.get(name) === part)), options),
    );
  }
  state(): OptimizerState {
    const states = this.#parts.map((part) => part.state());
    return {
      step: states[0]?.step ?? 0,
      moments: Object.fromEntries(states.flatMap((s) => Object.entries(s.moments))),
    };
  }
  loadState(step: number, moments: Readonly<Record<string, SavedTensor>>): void {
    for (const part of this.#parts) part.loadState(step, moments);
  }
}
