import type { CellEvent } from "./events.ts";

/** What a line with an event begins with: native libraries print to the same output. */
export const EVENT_MARK = "@bench ";

/** The event of a line, or null for any other line. */
export const eventOf = (line: string): CellEvent | null =>
  line.startsWith(EVENT_MARK) ? (JSON.parse(line.slice(EVENT_MARK.length)) as CellEvent) : null; // our own process wrote it
