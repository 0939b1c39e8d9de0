import { contenderTitles } from "../contenders/contender.ts";
import type { Refusal } from "../run-bench.ts";
import type { Verdict } from "../targets/evaluate.ts";
import { legend, ratioChart } from "./chart.svg.ts";
import { escape } from "./escape.ts";
import { type Cell, digits, percentage, type Row, shownIn } from "./rows.ts";
import type { Section } from "./sections.ts";
import { style } from "./style.css.ts";
import { againstBefore, conditions, runtimeTables, fixedCosts, summaryOf, type Table } from "./tables.ts";

/** A table of cells that are HTML already. */
const markup = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="scroll"><table><thead><tr>${header.map((h) => `<th>${escape(h)}</th>`).join("")}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
    .join("")}</tbody></table></div>`;

const plain = ({ header, rows }: Table): string =>
  markup(
    header,
    rows.map((row) => row.map(escape)),
  );

function cellMarkup({ ms, ratio, mark }: Cell): string {
  if (ms === null) return mark === "" ? "–" : `<span class="wrong">${mark}</span>`;
  if (!ratio) return `<b>${digits(ms)}</b>`;
  const interval = `${digits(ratio.low)} to ${digits(ratio.high)}`;
  return `${digits(ms)} <span title="95 %: ${interval}">(${digits(ratio.value)}×)</span>`;
}

function timesMarkup(rows: readonly Row[]): string {
  const shown = shownIn(rows);
  return markup(
    ["median ms (their time / ours)", ...shown.map((id) => contenderTitles[id]), "rate of ours", "of ceiling"],
    rows.map(({ title, cells, rate, share }) => [
      escape(title),
      ...cells.filter(({ id }) => shown.includes(id)).map(cellMarkup),
      rate,
      percentage(share),
    ]),
  );
}

const verdictsMarkup = (verdicts: readonly Verdict[]): string =>
  `<p>${summaryOf(verdicts)}</p>${markup(
    ["target", "op", "asked", "got", "status"],
    verdicts.map(({ target, op, asked, got, status, by }) => [
      ...[target, op, asked, got].map(escape),
      `<span class="${status === "not measured" ? "" : status}">${status}${by === "" ? "" : `, ${by}`}</span>`,
    ]),
  )}`;

const list = (lines: readonly string[]): string =>
  `<ul>${lines.map((line) => `<li>${escape(line)}</li>`).join("")}</ul>`;

/** A line that is strong in Markdown is strong here. */
const strong = (line: string): string => escape(line).replace(/\*\*(.+?)\*\*/g, "<b>$1</b>");

function sectionMarkup(section: Section): string {
  const { title, rows, verdicts, incidents } = section;
  const parts = [
    `<h2>${escape(title)}</h2>`,
    `<p class="conditions">${conditions(section).map(strong).join("<br>")}</p>`,
    `<p>${legend()}</p>`,
    `<div class="scroll">${ratioChart(rows)}</div>`,
    timesMarkup(rows),
    "<h3>First calls and fixed costs of ours</h3>",
    plain(fixedCosts(rows)),
  ];
  const before = againstBefore(rows);
  if (before.rows.length > 0)
    parts.push(
      `<h3>Against the state before, ${escape(section.provenance.versions["before"] ?? "")}</h3>`,
      plain(before),
    );
  if (verdicts.length > 0) parts.push("<h3>Targets</h3>", verdictsMarkup(verdicts));
  if (incidents.length > 0) parts.push("<h3>Wrong or failed</h3>", list(incidents));
  return parts.join("\n");
}

const INTRODUCTION = `Times of other libraries over those of @omni/core, through its public API, on the same adapter in the same interleaved rounds. Dots right of the line
are slower than ours; bars hold the middle 95 % of resampled rounds. A library whose answer is wrong is not timed. ORT keeps its inputs on the device and reads one
value back; CPU references run on the processor that a software adapter shares.`;

/** The report as one file that needs no network. */
export function htmlReport(sections: readonly Section[], refusals: readonly Refusal[]): string {
  const parts = ["<h1>Benchmarks</h1>", `<p>${INTRODUCTION}</p>`, ...sections.map(sectionMarkup)];
  for (const runtimes of runtimeTables(sections)) parts.push(`<h2>Runtimes on ${runtimes.title}</h2>`, plain(runtimes));
  if (refusals.length > 0)
    parts.push(
      "<h2>Not measured</h2>",
      list(refusals.map(({ runtime, adapter, cause }) => `${runtime}, ${adapter}: ${cause}`)),
    );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Omni benchmarks</title>
<style>${style}</style>
<body>
${parts.join("\n")}
</body></html>
`;
}
