/** Lines and points over two axes, drawn as SVG: colours come from the page's style, by class. */

export interface Series {
  /** Class of the path; "points" are drawn as dots. */
  readonly kind: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

const WIDTH = 800;
const HEIGHT = 340;
const MARGIN = { left: 46, right: 22, top: 14, bottom: 30 };
const SVG = "http://www.w3.org/2000/svg";

/** Replaces what the plot shows. */
export function drawPlot(svg: SVGElement, x: Range, y: Range, series: readonly Series[]): void {
  const px = (v: number): number =>
    MARGIN.left + ((v - x.from) / (x.to - x.from)) * (WIDTH - MARGIN.left - MARGIN.right);
  const py = (v: number): number =>
    HEIGHT - MARGIN.bottom - ((v - y.from) / (y.to - y.from)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren(
    ...ticks(y).flatMap((v) => [
      element("line", { class: "grid", x1: px(x.from), x2: px(x.to), y1: py(v), y2: py(v) }),
      element("text", { x: MARGIN.left - 8, y: py(v) + 4, "text-anchor": "end" }, String(v)),
    ]),
    ...ticks(x).map((v) => element("text", { x: px(v), y: HEIGHT - 10, "text-anchor": "middle" }, String(v))),
    ...series.map(({ kind, x: xs, y: ys }) => {
      const command = (i: number): string => (kind === "points" ? `h0M` : i === 0 ? "M" : "L");
      const at = Array.from(xs, (v, i) => `${command(i)}${px(v).toFixed(1)} ${py(ys[i] ?? NaN).toFixed(1)}`).join("");
      // a dot is a line of no length with round ends
      return element("path", { class: kind, d: kind === "points" ? `${at.slice(2)}h0` : at });
    }),
  );
}

/** Four to nine round numbers within a range. */
function ticks({ from, to }: Range): number[] {
  const power = 10 ** Math.floor(Math.log10((to - from) / 4));
  const step = [1, 2, 5].map((n) => n * power).findLast((n) => (to - from) / n >= 4) ?? power;
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, text = ""): SVGElement {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.textContent = text;
  return node;
}
