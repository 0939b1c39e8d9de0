import type { CaseResult } from "./types.ts";

interface Count {
  passed: number;
  failed: number;
  skipped: number;
  worst: number;
  readonly reasons: Set<string>;
}

/** Counts results by group. */
export class Summary {
  readonly #groups = new Map<string, Count>();

  add(group: string, { status, worst = 0, reason = "" }: CaseResult): void {
    const count = this.#groups.get(group) ?? { passed: 0, failed: 0, skipped: 0, worst: 0, reasons: new Set() };
    this.#groups.set(group, count);
    count[status]++;
    if (status === "passed") count.worst = Math.max(count.worst, worst);
    if (status === "skipped") count.reasons.add(reason);
  }
  total(status: CaseResult["status"]): number {
    return [...this.#groups.values()].reduce((n, count) => n + count[status], 0);
  }
  /** A Markdown table: the worst ratio is the largest share of a tolerance that a passing case used. */
  table(): string {
    const rows = [...this.#groups].map(
      ([group, c]) =>
        `| ${group} | ${c.passed} | ${c.failed} | ${c.skipped} | ${c.worst.toPrecision(2)} | ${[...c.reasons].join("; ")} |`,
    );
    return [
      "| group | passed | failed | skipped | worst ratio | why skipped |",
      "|---|--:|--:|--:|--:|---|",
      ...rows,
    ].join("\n");
  }
  /** The last line of a run. */
  line(): string {
    return `${this.total("passed")} passed, ${this.total("failed")} failed, ${this.total("skipped")} skipped`;
  }
}

/** One line on a failure: op, arguments, worst element. */
export function describeFailure(group: string, { id, op, args, reason, worst, tags }: CaseResult): string {
  const tagged = tags && tags.length > 0 ? ` [${tags.join(", ")}]` : "";
  const ratio = worst === undefined ? "" : ` (${worst.toPrecision(3)}× its tolerance)`;
  return `FAILED ${group}/${id} ${op} ${JSON.stringify(args ?? {})}${tagged}: ${reason ?? ""}${ratio}`;
}
