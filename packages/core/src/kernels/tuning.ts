import { invariant } from "../base/errors.ts";
import type { DeviceTraits, Program } from "./kernel.ts";

/** One way to run a kernel. */
export interface Candidate {
  /** What it is kept by; of one kernel's candidates no two share it. */
  readonly name: string;
  readonly program: () => Program;
}

/** A kernel with several ways to run: the chooser's own comes first. */
export interface Tuning {
  /** The kernel and all that its speed depends on but the adapter. */
  readonly key: string;
  readonly candidates: readonly Candidate[];
}

/** A timed choice. */
export interface Choice {
  readonly name: string;
  /** Hash of the kernels that were timed: of others it says nothing. */
  readonly text: string;
}

/** Timed choices by `Tuning.key`. */
export type Choices = ReadonlyMap<string, Choice>;

/**
 * The first candidate, or the one that `autotune` found faster at this key. Candidates give the same result to rounding: another tile or another
 * number of parts adds in another order.
 */
export function tuned(key: string, candidates: readonly Candidate[], { choices }: DeviceTraits): Program {
  const [first] = candidates;
  invariant(first !== undefined, `tuned: ${key} has no candidate`);
  const choice = choices?.get(key);
  const wanted = choice && candidates.find(({ name }) => name === choice.name);
  const program = (wanted && choice.text === textHash(first, wanted) ? wanted : first).program();
  return candidates.length > 1 ? { ...program, tuning: { key, candidates } } : program;
}

/** The choice of a candidate over the first. */
export const choiceOf = (first: Candidate, best: Candidate): Choice => ({
  name: best.name,
  text: textHash(first, best),
});

/** A key that tells specs apart; of an offset only how it is aligned. */
export const keyOf = (kernel: string, spec: object): string => {
  const shorten = (name: string, value: unknown): unknown => {
    if (name === "offset" && typeof value === "number") return value % 4;
    return name === "wgsl" && typeof value === "string" ? hashText(value) : value;
  };
  return `${kernel} ${JSON.stringify(spec, shorten)}`;
};

/** Candidates of different names, the first of each, in order. */
export const distinct = (candidates: readonly Candidate[]): Candidate[] =>
  candidates.filter(({ name }, i) => candidates.findIndex((other) => other.name === name) === i);

const textHash = (...candidates: readonly Candidate[]): string =>
  hashText(candidates.flatMap(({ program }) => program().launches.map(({ wgsl }) => wgsl)).join("\n"));

/** FNV-1a, eight hexadecimal digits. */
export function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
