/**
 * Why a media file could not be read or written.
 *
 * - `missing`: no such file, or it may not be read
 * - `empty`: zero bytes, zero samples or zero frames
 * - `unsupported`: a readable file of a kind that is not accepted here
 * - `corrupt`: damaged, cut short, or not what its name says
 * - `too-large`: more pixels than are accepted
 * - `unwritable`: the output cannot be created or the disk is full
 * - `unavailable`: an optional package or a codec is not there
 * - `invalid`: the caller's own arguments do not fit together
 */
export type MediaErrorKind =
  "missing" | "empty" | "unsupported" | "corrupt" | "too-large" | "unwritable" | "unavailable" | "invalid";

/** An error about one media file. Its message is one line that names the file and says what to do. */
export class MediaError extends Error {
  override readonly name = "MediaError";
  readonly kind: MediaErrorKind;
  /** The path, or a description such as `the given bytes`. */
  readonly source: string;

  constructor(kind: MediaErrorKind, source: string, advice: string, cause?: unknown) {
    super(oneLine(`${source}: ${advice}`), cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.source = source;
  }
}

/** The first line of an unknown error's text, without trailing punctuation. */
export function causeText(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.split("\n", 1)[0] ?? "").trim().replace(/[.:]+$/, "");
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}
