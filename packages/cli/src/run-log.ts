import { pino } from "pino";
import { UsageError } from "./failure.ts";

/** A log of one JSON object a line. */
export interface RunLog {
  write(event: string, fields: Readonly<Record<string, unknown>>): void;
  close(): void;
}

const silent: RunLog = { write: () => undefined, close: () => undefined };

/**
 * Opens a JSONL log; null logs nothing.
 *
 * @throws UsageError when the file cannot be written
 */
export function openLog(path: string | null): RunLog {
  if (path === null) return silent;
  try {
    const destination = pino.destination({ dest: path, sync: true });
    const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
    return { write: (event, fields) => logger.info(fields, event), close: () => destination.end() };
  } catch {
    throw new UsageError(`${path}: the log cannot be written here; choose another place`);
  }
}
