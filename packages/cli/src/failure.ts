import { CheckpointError } from "@omni/core";
import { ConfigError } from "@omni/human";
import { MediaError } from "@omni/media";
import { KeypointFormatError, PoseModelError } from "@omni/pose";
import { CommanderError } from "commander";

/** Something the user gave cannot be used. The message is one line that says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The user stopped the command. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor(message = "stopped") {
    super(message);
  }
}

/** How a command ends: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C. */
export interface Ending {
  readonly code: number;
  /** One line for the user; null where everything has been said. */
  readonly line: string | null;
}

/** Exit code and message of whatever a command threw. */
export function endingOf(error: unknown): Ending {
  if (error instanceof CommanderError) {
    // help has been printed: because it was asked for, or for want of a command
    if (error.exitCode === 0 || error.code === "commander.help") return { code: error.exitCode && 2, line: null };
    return { code: 2, line: `${oneLine(error.message).replace(/^error: |\.$/g, "")}; see --help` };
  }
  const line = oneLine(error instanceof Error ? error.message : String(error));
  if (error instanceof Interrupted) return { code: 130, line };
  return { code: isBadInput(error) ? 2 : 1, line };
}

function isBadInput(error: unknown): boolean {
  if (error instanceof MediaError) return error.kind !== "unavailable";
  return [UsageError, CheckpointError, ConfigError, KeypointFormatError, PoseModelError].some(
    (kind) => error instanceof kind,
  );
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ").trim();
