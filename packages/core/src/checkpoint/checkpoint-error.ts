import { CheckpointError } from "../base/errors.ts";

/** What went wrong with a checkpoint; the parts of a message. */
export interface CheckpointFault {
  /** The file, URL or other source as the user knows it. */
  readonly source: string;
  /** What must hold. */
  readonly rule: string;
  readonly got: string;
  /** What to do about it. */
  readonly remedy: string;
  readonly cause?: unknown;
}

export const DAMAGED = "the file is damaged, download or save it again";

/**
 * The error of a checkpoint that cannot be read, written or fitted to a module.
 *
 * Its message is one line, `source: rule, got …; remedy`, safe to print: what would break or disguise a line is escaped.
 */
export function checkpointError({ source, rule, got, remedy, cause }: CheckpointFault): CheckpointError {
  const message = `${source}: ${rule}, got ${got}; ${remedy}`.replace(UNPRINTABLE, escapeCharacter);
  return new CheckpointError(message, cause === undefined ? undefined : { cause });
}

// Control characters, line separators, direction overrides and lone surrogates: they would break or disguise a terminal line.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const QUOTED_LENGTH = 80;

/** Text from a file in quotes, shortened to 80 characters, for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text);
}
