import { contenderTitles, type ContenderId } from "../contenders/contender.ts";
import { escape } from "./escape.ts";
import { digits, type Row } from "./rows.ts";

/** What is drawn of a row. */
const SHOWN = ["raw", "tfjs", "jax", "ort", "tfjs-wasm", "ort-cpu"] as const satisfies readonly ContenderId[];

const LEFT = 400;
const WIDTH = 560;
const RIGHT = 160;
const ROW = 26;
const TOP = 34;
/** Ratios at both ends of the logarithmic axis. */
const [LEAST, MOST] = [0.1, 100];
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

const x = (ratio: number): number => {
  const clamped = Math.min(MOST, Math.max(LEAST, ratio));
  return LEFT + (WIDTH * Math.log(clamped / LEAST)) / Math.log(MOST / LEAST);
};

const place = (value: number): string => value.toFixed(1);

function axis(height: number): string {
  return TICKS.map((tick) => {
    const at = place(x(tick));
    const name = tick === 1 ? "ours" : `${tick}×`;
    return `<line class="${tick === 1 ? "ours" : "tick"}" x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${height - 8}"/><text x="${at}" y="${TOP - 14}" text-anchor="middle">${name}</text>`;
  }).join("");
}

function rowMarks({ title, cells, record }: Row, i: number): string {
  const y = TOP + ROW * (i + 0.5);
  const marks = cells.flatMap(({ id, ratio, ms }) => {
    const shown = SHOWN.find((candidate) => candidate === id);
    if (shown === undefined || ratio === null || ms === null) return [];
    const text = `${contenderTitles[id]}: ${digits(ms)} ms, ${digits(ratio.value)}× ours (95 %: ${digits(ratio.low)} to ${digits(ratio.high)})`;
    return [
      `<g class="${id}"><title>${escape(`${title}. ${text}`)}</title><line x1="${place(x(ratio.low))}" x2="${place(x(ratio.high))}" y1="${place(y)}" y2="${place(y)}"/><circle cx="${place(x(ratio.value))}" cy="${place(y)}" r="5"/></g>`,
    ];
  });
  const wrong = record.contenders.filter(({ status }) => status === "wrong").map(({ id }) => contenderTitles[id]);
  const note =
    wrong.length > 0
      ? `<text class="wrong" x="${LEFT + WIDTH + 4}" y="${place(y + 4)}">${escape(`wrong: ${wrong.join(", ")}`)}</text>`
      : "";
  return `<text x="${LEFT - 10}" y="${place(y + 4)}" text-anchor="end">${escape(title)}</text>${marks.join("")}${note}`;
}

/** Times of others over ours on a logarithmic axis, a row an op: dots right of the line are slower than ours. */
export function ratioChart(all: readonly Row[]): string {
  const rows = all.filter(({ cells }) => cells.some(({ ratio }) => ratio !== null));
  const height = TOP + ROW * rows.length + 12;
  const width = LEFT + WIDTH + RIGHT;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Times of other libraries over ours, by op">${axis(height)}${rows.map(rowMarks).join("")}</svg>`;
}

/** What the dots stand for. */
export const legend = (): string =>
  SHOWN.map(
    (id) =>
      `<span class="key"><svg viewBox="0 0 12 12" class="dot"><g class="${id}"><circle cx="6" cy="6" r="5"/></g></svg>${contenderTitles[id]}</span>`,
  ).join("");
