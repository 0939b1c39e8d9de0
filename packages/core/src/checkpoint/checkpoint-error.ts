/** What went wrong with a checkpoint; the parts of a `CheckpointError`'s message. */
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
 * A checkpoint that cannot be read, written or fitted to a module.
 *
 * The message is one line, `source: rule, got …; remedy`, safe to print: names from the file arrive through `quote`.
 */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly source: string;
  readonly rule: string;
  readonly got: string;
  readonly remedy: string;

  constructor({ source, rule, got, remedy, cause }: CheckpointFault) {
    const message = `${source}: ${rule}, got ${got}; ${remedy}`.replace(UNPRINTABLE, escapeCharacter);
    super(message, cause === undefined ? undefined : { cause });
    this.source = source;
    this.rule = rule;
    this.got = got;
    this.remedy = remedy;
  }
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
