import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CellRecord, Provenance } from "./cell-record.ts";

/** Records as lines of JSON, in a file to which each is added when it is finished: an interruption loses what was being measured. */
export class ResultsFile {
  readonly path: string;
  readonly #records: CellRecord[] = [];

  /** @param resume go on with what the file holds; else it starts empty */
  constructor(path: string, { resume }: { readonly resume: boolean }) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    if (resume && existsSync(path)) this.#records.push(...parseRecords(readFileSync(path, "utf8")));
    writeFileSync(path, this.#records.map(lineOf).join(""));
  }

  get records(): readonly CellRecord[] {
    return this.#records;
  }

  add(record: CellRecord): void {
    this.#records.push(record);
    appendFileSync(this.path, lineOf(record));
  }

  /** Whether an op has been measured under the same circumstances, with all that is asked for and at least as often. */
  has(
    op: string,
    provenance: Provenance,
    asked: { readonly contenders: readonly string[]; readonly rounds: number },
  ): boolean {
    const wanted = JSON.stringify(provenance);
    return this.#records.some(
      (record) =>
        record.op === op &&
        record.rounds >= asked.rounds &&
        JSON.stringify(record.provenance) === wanted &&
        asked.contenders.every((id) => record.contenders.some((result) => result.id === id)),
    );
  }
}

const lineOf = (record: CellRecord): string => `${JSON.stringify(record)}\n`;

/** The records of a file; a last line that an interruption cut short is left out. */
export function parseRecords(text: string): CellRecord[] {
  return text.split("\n").flatMap((line) => {
    if (!line.endsWith("}")) return [];
    try {
      return [JSON.parse(line) as CellRecord]; // lines of this program
    } catch {
      return [];
    }
  });
}
