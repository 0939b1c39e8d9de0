import { AdamW } from "./adamw.ts";
import type { AdamOptions } from "./adam-rule.ts";
import { Muon, type MuonOptions } from "./muon.ts";
import type { NamedTensors } from "./optimizer.ts";
import { OptimizerSet } from "./optimizer-set.ts";

/** Options of both optimisers, and who gets what. */
export interface MuonSplit {
  /** For the hidden layers' matrices. */
  readonly muon: Partial<MuonOptions> & Pick<MuonOptions, "lr">;
  /** For everything else. */
  readonly adamw: Partial<AdamOptions> & Pick<AdamOptions, "lr">;
  /** Which parameters are Muon's: those of two axes or more by default. Leave embeddings and the last layer out by name. */
  readonly isHidden?: (name: string, shape: readonly number[]) => boolean;
}

/** Muon for the hidden layers' matrices, AdamW for everything else, as one optimiser. */
export function muonWithAdamW(params: NamedTensors, { muon, adamw, isHidden = () => true }: MuonSplit): OptimizerSet {
  const hidden = new Set(
    Object.entries(params).flatMap(([name, p]) => (p.ndim >= 2 && isHidden(name, p.shape) ? [name] : [])),
  );
  const pick = (wanted: boolean): NamedTensors =>
    Object.fromEntries(Object.entries(params).filter(([name]) => hidden.has(name) === wanted));
  return new OptimizerSet([new Muon(pick(true), muon), new AdamW(pick(false), adamw)]);
}
