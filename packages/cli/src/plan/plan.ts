import { estimate } from "@omni/core";
import type { DeviceTraits, Estimate } from "@omni/core";
import type { Module } from "@omni/core/nn";
import type { AdapterRates } from "./adapter-rates.ts";
import type { PlanModel, PlanPhase } from "./plan-model.ts";

/** An adapter as far as plans go. */
export interface PlanAdapter {
  readonly name: string;
  readonly traits: DeviceTraits;
  /** Largest buffer, bytes. */
  readonly maxBuffer: number;
  /** Bytes that all buffers may take; null where it is unknown. */
  readonly memory: number | null;
  /** Null: not measured. */
  readonly rates: AdapterRates | null;
}

/** Largest buffer of a usual graphics card, bytes. */
export const DESKTOP_BUFFER = 2 ** 32;

/** More than any tensor takes: what a phase would cost where nothing is refused. */
const UNBOUND = 2 ** 46;

/** A part's parameters. */
export interface PlannedPart {
  readonly name: string;
  readonly parameters: number;
  readonly bytes: number;
  readonly largest: { readonly name: string; readonly shape: readonly number[]; readonly bytes: number };
}

/** What a phase costs. */
export interface PlannedPhase {
  readonly name: string;
  readonly runs: number;
  /** Of one run, by op. */
  readonly flops: Readonly<Record<string, number>>;
  readonly flopsPerRun: number;
  readonly dispatches: number;
  /** Inputs, temporaries and results of one run, bytes. */
  readonly activations: number;
  /** With all weights resident. */
  readonly peak: number;
  readonly largestBuffer: number;
  /** Seconds of one run, of products alone; null: not measured. */
  readonly seconds: number | null;
  /** Why the adapter refuses it; null where it does not. Its bytes are then those without that limit. */
  readonly refused: string | null;
}

/** A whole plan. */
export interface Plan {
  readonly summary: string;
  readonly adapter: PlanAdapter;
  readonly parts: readonly PlannedPart[];
  readonly weights: number;
  readonly phases: readonly PlannedPhase[];
  /** Seconds of all phases; null: not measured. */
  readonly seconds: number | null;
  /** What would not fit and why, with what to do. */
  readonly problems: readonly string[];
}

const BYTES = { f32: 4, i32: 4, u32: 4, bool: 4, f16: 2, bf16: 2, u8: 1 } as const;

/** Bytes of a network's weights. */
export const weightBytes = (module: Module): number =>
  [...module.namedParameters()].reduce((sum, [, { size, dtype }]) => sum + size * BYTES[dtype], 0);

/**
 * Plans a system on an adapter without allocating or running any of it.
 *
 * @param onPhase is told what is planned next
 */
export async function planModel(
  model: PlanModel,
  adapter: PlanAdapter,
  {
    onPhase,
    format,
  }: { readonly onPhase: (done: number, name: string) => Promise<void>; readonly format: (bytes: number) => string },
): Promise<Plan> {
  const parts = model.parts.map(({ name, module }): PlannedPart => {
    const sizes = [...module.namedParameters()].map(([key, { shape, size, dtype }]) => ({
      name: key,
      shape,
      bytes: size * BYTES[dtype],
    }));
    const largest = sizes.reduce((most, tensor) => (tensor.bytes > most.bytes ? tensor : most));
    return {
      name,
      parameters: module.numParameters(),
      bytes: weightBytes(module),
      largest,
    };
  });
  const weights = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const resident = model.parts.flatMap(({ module }) => [...module.namedParameters()].map(([, t]) => t));
  const phases: PlannedPhase[] = [];
  for (const [i, phase] of model.phases.entries()) {
    await onPhase(i / model.phases.length, phase.name);
    phases.push(planPhase(phase, adapter, weights, resident));
  }
  const known = phases.map(({ seconds, runs }) => (seconds === null ? null : seconds * runs));
  return {
    summary: model.summary,
    adapter,
    parts,
    weights,
    phases,
    seconds: known.every((s) => s !== null) ? known.reduce((sum, s) => sum + s, 0) : null,
    problems: problemsOf({ model, adapter, parts, weights, phases }, format),
  };
}

function planPhase(
  { name, runs, graph, held = 0 }: PlanPhase,
  { traits, rates }: PlanAdapter,
  weights: number,
  resident: Parameters<typeof estimate>[0],
): PlannedPhase {
  const outputs = graph();
  const { cost, refused } = estimated(outputs, traits, resident);
  const flopsPerRun = Object.values(cost.flops).reduce((sum, n) => sum + n, 0);
  const activations = cost.leafBytes + cost.temporaryBytes + cost.resultBytes + held;
  const rateOf = (op: string, { matmul, conv, attention }: AdapterRates): number =>
    op === "conv" ? conv : op === "attention" ? attention : matmul;
  return {
    name,
    runs,
    flops: cost.flops,
    flopsPerRun,
    dispatches: cost.dispatches,
    activations,
    peak: weights + activations,
    largestBuffer: cost.largestBytes,
    seconds: rates && Object.entries(cost.flops).reduce((sum, [op, n]) => sum + n / rateOf(op, rates), 0),
    refused,
  };
}

function estimated(
  outputs: Parameters<typeof estimate>[0],
  traits: DeviceTraits,
  resident: Parameters<typeof estimate>[0],
): { readonly cost: Estimate; readonly refused: string | null } {
  try {
    const cost = estimate(outputs, traits, { resident });
    const [first] = cost.refused;
    return { cost, refused: first ? `${first.label} would bind ${first.bytes} bytes` : null };
  } catch (error) {
    // what an adapter refuses has a cost nevertheless
    const refused = error instanceof Error ? error.message : String(error);
    return { cost: estimate(outputs, { ...traits, maxStorageBinding: UNBOUND }, { resident }), refused };
  }
}

type Parts = Pick<Plan, "adapter" | "parts" | "weights" | "phases"> & { readonly model: PlanModel };

function problemsOf({ model, adapter, parts, weights, phases }: Parts, format: (bytes: number) => string): string[] {
  const { memory, maxBuffer, traits } = adapter;
  const problems: string[] = [];
  if (memory !== null && weights > memory)
    problems.push(
      `weights: ${format(weights)} of ${format(memory)}: store them as bf16 or f16 (--dtype), or load parts one after another`,
    );
  for (const { name, largest } of parts)
    if (largest.bytes > maxBuffer)
      problems.push(
        `${name}: ${largest.name} [${largest.shape.join(", ")}] takes ${format(largest.bytes)}, a buffer at most ${format(maxBuffer)}`,
      );
  for (const [i, { name, peak, activations, largestBuffer, refused }] of phases.entries()) {
    const beside = `${format(activations)} beside the weights`;
    const reasons: string[] = [];
    if (memory !== null && activations > memory) reasons.push(`${beside}, of ${format(memory)}`);
    else if (memory !== null && peak > memory && weights <= memory)
      reasons.push(`${format(weights)} of weights and ${beside}, of ${format(memory)}`);
    if (largestBuffer > maxBuffer) reasons.push(`a buffer of ${format(largestBuffer)}, at most ${format(maxBuffer)}`);
    if (refused !== null) reasons.push(`a binding holds at most ${format(traits.maxStorageBinding)} (${refused})`);
    const remedy = model.phases[i]?.remedy;
    if (reasons.length > 0) problems.push(`${name}: ${reasons.join("; ")}${remedy === undefined ? "" : `: ${remedy}`}`);
  }
  return problems;
}
