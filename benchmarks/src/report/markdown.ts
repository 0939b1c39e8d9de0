import { contenderTitles } from "../contenders/contender.ts";
import type { Refusal } from "../run-bench.ts";
import { type Cell, digits, percentage, type Row, shownIn } from "./rows.ts";
import type { Section } from "./sections.ts";
import { againstBefore, conditions, runtimeTables, fixedCosts, summaryOf } from "./tables.ts";

/** A table; columns after the first hold numbers unless all are texts. */
const table = (header: readonly string[], rows: readonly (readonly string[])[], columns = "numbers"): string =>
  [header, header.map((_, i) => (i === 0 || columns === "texts" ? "---" : "--:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

function cellText({ ms, ratio, mark }: Cell): string {
  if (ms === null) return mark === "" ? "–" : mark;
  return ratio ? `${digits(ms)} (${digits(ratio.value)}×)` : digits(ms);
}

function timesTable(rows: readonly Row[]): string {
  const shown = shownIn(rows);
  return table(
    ["median ms (their time / ours)", ...shown.map((id) => contenderTitles[id]), "rate of ours", "of ceiling"],
    rows.map(({ title, cells, rate, share }) => [
      title,
      ...cells.filter(({ id }) => shown.includes(id)).map(cellText),
      rate,
      percentage(share),
    ]),
  );
}

function sectionText(section: Section): string {
  const { title, rows, verdicts, incidents } = section;
  const parts = [`## ${title}`, conditions(section).join("  \n"), timesTable(rows)];
  const costs = fixedCosts(rows);
  parts.push("### First calls and fixed costs of ours", table(costs.header, costs.rows));
  const before = againstBefore(rows);
  if (before.rows.length > 0)
    parts.push(
      `### Against the state before, ${section.provenance.versions["before"]}`,
      table(before.header, before.rows),
    );
  if (verdicts.length > 0)
    parts.push(
      "### Targets",
      summaryOf(verdicts),
      table(
        ["target", "op", "asked", "got", "status"],
        verdicts.map(({ target, op, asked, got, status, by }) => [
          target,
          op,
          asked,
          got,
          by === "" ? status : `**${status}**, ${by}`,
        ]),
        "texts",
      ),
    );
  if (incidents.length > 0) parts.push("### Wrong or failed", incidents.map((line) => `- ${line}`).join("\n"));
  return parts.join("\n\n");
}

/** The report in Markdown. */
export function markdownReport(sections: readonly Section[], refusals: readonly Refusal[]): string {
  const parts = ["# Benchmarks", ...sections.map(sectionText)];
  for (const { title, header, rows } of runtimeTables(sections))
    parts.push(`## Runtimes on ${title}`, table(header, rows));
  if (refusals.length > 0)
    parts.push(
      "## Not measured",
      refusals.map(({ runtime, adapter, cause }) => `- ${runtime}, ${adapter}: ${cause}`).join("\n"),
    );
  return `${parts.join("\n\n")}\n`;
}
