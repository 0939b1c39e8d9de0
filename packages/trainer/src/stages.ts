/** Conditions whose use in training is drawn, weak to strong. */
export const RATIO_CONDITIONS = ["text", "reference", "audio", "pose"] as const;
export type RatioCondition = (typeof RATIO_CONDITIONS)[number];

/** Share of training samples for which each condition is active. */
export type Ratios = Readonly<Record<RatioCondition, number>>;

/** One stage of omni-conditions training. */
export interface Stage {
  readonly name: string;
  /** Share of the run's steps. */
  readonly share: number;
  readonly ratios: Ratios;
}

/**
 * The paper's three stages after pre-training: each adds a stronger condition at a smaller ratio.
 *
 * @see OmniHuman-1, section 3.2, principles 1 and 2
 */
export const halvingStages: readonly Stage[] = [
  { name: "0 text", share: 0.04, ratios: { text: 0.9, reference: 0, audio: 0, pose: 0 } },
  { name: "1 reference", share: 0.08, ratios: { text: 0.9, reference: 0.7, audio: 0, pose: 0 } },
  { name: "2 audio", share: 0.48, ratios: { text: 0.9, reference: 0.7, audio: 0.5, pose: 0 } },
  { name: "3 pose", share: 0.4, ratios: { text: 0.9, reference: 0.7, audio: 0.5, pose: 0.25 } },
];

/** The stages with another share of poses in the last; the paper's first version had one half. */
export const withPoseRatio = (stages: readonly Stage[], pose: number): readonly Stage[] =>
  stages.map((stage) => (stage.ratios.pose > 0 ? { ...stage, ratios: { ...stage.ratios, pose } } : stage));

/** The stages of the paper's first version. */
export const halfPoseStages = withPoseRatio(halvingStages, 0.5);

/** Stage that a step of a run belongs to; shares count beside each other. */
export function stageAt(stages: readonly { readonly share: number }[], step: number, steps: number): number {
  const all = stages.reduce((sum, { share }) => sum + share, 0);
  let end = 0;
  for (const [index, { share }] of stages.entries()) {
    end += (share / all) * steps;
    if (step < Math.round(end)) return index;
  }
  return stages.length - 1;
}

/**
 * Draws which conditions are active so that the realised ratios meet the targets, although a sample may only activate what its record
 * allows: each sample adds its target to a debt, and an eligible sample pays one from a debt that is large enough.
 */
export class ConditionDraw {
  readonly #debt = new Map<RatioCondition, number>();
  readonly #active = new Map<RatioCondition, number>();
  #samples = 0;

  /**
   * @param eligible conditions that the sample's record allows
   * @param random uniform numbers in [0, 1)
   */
  draw(
    ratios: Ratios,
    eligible: Readonly<Record<RatioCondition, boolean>>,
    random: () => number,
  ): Record<RatioCondition, boolean> {
    this.#samples++;
    const active = { text: false, reference: false, audio: false, pose: false };
    for (const condition of RATIO_CONDITIONS) {
      const debt = Math.min(2, (this.#debt.get(condition) ?? 0) + ratios[condition]);
      // the random threshold keeps the draws of two conditions apart
      active[condition] = eligible[condition] && ratios[condition] > 0 && debt >= random();
      this.#debt.set(condition, debt - (active[condition] ? 1 : 0));
      if (active[condition]) this.#active.set(condition, (this.#active.get(condition) ?? 0) + 1);
    }
    return active;
  }

  /** Shares of the samples drawn since the last reset. */
  get realised(): Ratios {
    const share = (c: RatioCondition): number => (this.#active.get(c) ?? 0) / Math.max(1, this.#samples);
    return { text: share("text"), reference: share("reference"), audio: share("audio"), pose: share("pose") };
  }
  /** Starts counting anew, for the next stage. */
  reset(): void {
    this.#debt.clear();
    this.#active.clear();
    this.#samples = 0;
  }
}
