import type { Node } from "../graph/node.ts";
import type { Device } from "../runtime/device.ts";
import { Plan, SlotPool } from "./plan.ts";
import { isUpdate, reportOf, withReport } from "./plan-report.ts";
import { planGraph } from "./planner.ts";
import { sameWords, signatureOf } from "./signature.ts";
import type { PlanSpec } from "./spec.ts";

/** More plans than a training run, its evaluation and a sampler of several sizes have together. */
const MAX_PLANS = 96;

interface Entry {
  readonly words: Float64Array;
  readonly hash: number;
  readonly plan: Plan;
}

/** Plans by the structure of their graph, least recently used first. */
export class PlanCache {
  hits = 0;
  misses = 0;
  readonly #device: Device;
  readonly #slots: SlotPool;
  readonly #entries = new Map<number, Entry[]>();
  #recent: Entry[] = [];
  /** Planned by the last `look`, and not made yet. */
  #looked: { readonly words: Float64Array; readonly hash: number; readonly spec: PlanSpec } | null = null;

  constructor(device: Device) {
    this.#device = device;
    this.#slots = new SlotPool(device);
  }

  /** @param order topological, `index` set */
  async get(order: readonly Node[], roots: readonly Node[]): Promise<Plan> {
    const signature = signatureOf(order, roots);
    const entry = this.#entries.get(signature.hash)?.find((e) => sameWords(e.words, signature.words));
    if (entry) {
      this.hits++;
      this.#recent = [...this.#recent.filter((e) => e !== entry), entry];
      return entry.plan;
    }
    this.misses++;
    const words = signature.words.slice();
    const { hash } = signature;
    const looked = this.#looked?.hash === hash && sameWords(this.#looked.words, words) ? this.#looked.spec : null;
    this.#looked = null;
    const spec = looked ?? planGraph(order, roots, this.#device.traits);
    const plan = await this.#prepare(spec, roots);
    const made = { words, hash, plan };
    this.#entries.set(hash, [...(this.#entries.get(hash) ?? []), made]);
    this.#recent.push(made);
    if (this.#recent.length > MAX_PLANS) this.#evict();
    return plan;
  }

  /** The plan as it would be, or is: nothing is compiled or allocated, and `get` need not plan again. */
  look(order: readonly Node[], roots: readonly Node[]): PlanSpec {
    const signature = signatureOf(order, roots);
    const known = this.#entries.get(signature.hash)?.find((e) => sameWords(e.words, signature.words));
    if (known) return known.plan.spec;
    const { hash } = signature;
    const words = signature.words.slice();
    const spec = planGraph(order, roots, this.#device.traits);
    this.#looked = { hash, words, spec };
    return spec;
  }

  async #prepare(spec: PlanSpec, roots: readonly Node[]): Promise<Plan> {
    try {
      return await Plan.prepare(this.#device, spec, this.#slots);
    } catch (error) {
      throw withReport(error, () => reportOf(spec, roots.map(isUpdate)), this.#device.pool);
    }
  }

  /** Forgets all plans: kernels are chosen anew. */
  clear(): void {
    this.#looked = null;
    while (this.#recent.length > 0) this.#evict();
  }

  get plans(): readonly Plan[] {
    return this.#recent.map((e) => e.plan);
  }

  #evict(): void {
    const oldest = this.#recent.shift();
    if (!oldest) return;
    this.#entries.set(
      oldest.hash,
      (this.#entries.get(oldest.hash) ?? []).filter((e) => e !== oldest),
    );
    oldest.plan.destroy();
  }
}
