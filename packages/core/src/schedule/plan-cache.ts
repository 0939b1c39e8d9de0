import type { Node } from "../graph/node.ts";
import type { Device } from "../runtime/device.ts";
import { Plan, SlotPool } from "./plan.ts";
import { planGraph } from "./planner.ts";
import { sameWords, signatureOf } from "./signature.ts";

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
    const plan = await Plan.prepare(this.#device, planGraph(order, roots, this.#device.traits), this.#slots);
    const made = { words, hash, plan };
    this.#entries.set(hash, [...(this.#entries.get(hash) ?? []), made]);
    this.#recent.push(made);
    if (this.#recent.length > MAX_PLANS) this.#evict();
    return plan;
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
