import { CheckpointError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";

/** A tensor of another shape than is wanted. */
export interface Misshaped {
  /** Its name in the checkpoint. */
  readonly name: string;
  /** The shape it must have. */
  readonly wanted: readonly number[];
  /** The shape it has. */
  readonly got: readonly number[];
}

/** Where a checkpoint and a network differ; all lists are empty where they agree. */
export interface KeyMismatch {
  /** Names that the checkpoint lacks. */
  readonly missing: readonly string[];
  /** Names of the checkpoint that the network has no place for. */
  readonly unexpected: readonly string[];
  /** Names that both have, in different shapes. */
  readonly misshaped: readonly Misshaped[];
}

/** A checkpoint that does not fit its network. The message names the first of each list, the fields hold all. */
export class KeyMismatchError extends CheckpointError implements KeyMismatch {
  /** Names that the checkpoint lacks. */
  readonly missing: readonly string[];
  /** Names of the checkpoint that the network has no place for. */
  readonly unexpected: readonly string[];
  /** Names that both have, in different shapes. */
  readonly misshaped: readonly Misshaped[];

  constructor(message: string, { missing, unexpected, misshaped }: KeyMismatch) {
    super(message);
    this.missing = missing;
    this.unexpected = unexpected;
    this.misshaped = misshaped;
  }
}

interface Shaped {
  readonly shape: readonly number[];
}

/** @param wanted what the checkpoint must hold */
export function compareShapes(
  wanted: Readonly<Record<string, Shaped>>,
  got: Readonly<Record<string, Shaped>>,
): KeyMismatch {
  const names = Object.keys(wanted);
  const known = new Set(names);
  return {
    missing: names.filter((name) => !(name in got)),
    unexpected: Object.keys(got).filter((name) => !known.has(name)),
    misshaped: names.flatMap((name) => {
      const [want, have] = [wanted[name], got[name]];
      return want && have && !sameShape(want.shape, have.shape) ? [{ name, wanted: want.shape, got: have.shape }] : [];
    }),
  };
}

const NAMED = 5;

function list(items: readonly string[]): string {
  const shown = items.slice(0, NAMED).join(", ");
  return items.length > NAMED ? `${shown} and ${items.length - NAMED} more` : shown;
}

/**
 * @param what what the checkpoint must hold, for the message
 * @throws KeyMismatchError unless all lists are empty
 */
export function checkMatch(source: string, mismatch: KeyMismatch, what: string): void {
  const { missing, unexpected, misshaped } = mismatch;
  const shapes = misshaped.map(
    ({ name, wanted, got }) => `${quote(name)} must be ${formatShape(wanted)}, is ${formatShape(got)}`,
  );
  const parts = [
    ...(missing.length > 0 ? [`${missing.length} missing (${list(missing.map(quote))})`] : []),
    ...(unexpected.length > 0 ? [`${unexpected.length} unexpected (${list(unexpected.map(quote))})`] : []),
    ...(shapes.length > 0 ? [`${shapes.length} misshaped (${list(shapes)})`] : []),
  ];
  if (parts.length === 0) return;
  const { message } = checkpointError({
    source,
    rule: `the checkpoint must hold ${what}`,
    got: parts.join(" and "),
    remedy: "build the network with the checkpoint's config, or load what fits with partial: true",
  });
  throw new KeyMismatchError(message, mismatch);
}
