import { formatShape } from "../base/shape.ts";
import { nodeLabel } from "./describe.ts";
import { topologicalOrder, type Node } from "./node.ts";

const BOX = { width: 150, height: 38, gapX: 18, gapY: 34 };
const COLOURS: Readonly<Record<string, string>> = {
  leaf: "#dbe9ff",
  elementwise: "#e8f7e4",
  movement: "#f4f4f4",
  reduce: "#fff2d6",
  kernel: "#ffe0dc",
  update: "#eadcff",
};

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The graph behind some nodes as a picture: layers by distance from the leaves, in each layer in the order of their inputs. */
export function svgOfNodes(roots: readonly Node[]): string {
  const order = topologicalOrder(roots);
  const layer = new Map<Node, number>();
  for (const node of order)
    layer.set(
      node,
      node.inputs.reduce((deepest, n) => Math.max(deepest, 1 + (layer.get(n) ?? 0)), 0),
    );
  const rows: Node[][] = [];
  for (const node of order) (rows[layer.get(node) ?? 0] ??= []).push(node);
  const place = new Map<Node, { x: number; y: number }>();
  const middle = (node: Node): number =>
    node.inputs.reduce((sum, n) => sum + (place.get(n)?.x ?? 0), 0) / Math.max(1, node.inputs.length);
  rows.forEach((row, y) => {
    const sorted = y === 0 ? row : row.toSorted((a, b) => middle(a) - middle(b));
    sorted.forEach((node, x) => place.set(node, { x: x * (BOX.width + BOX.gapX), y: y * (BOX.height + BOX.gapY) }));
  });
  const widest = rows.reduce((n, row) => Math.max(n, row.length), 1);
  const width = widest * (BOX.width + BOX.gapX) + BOX.gapX;
  const height = rows.length * (BOX.height + BOX.gapY) + BOX.gapY;
  const edges = order.flatMap((node) =>
    node.inputs.map((input) => {
      const [from, to] = [place.get(input) ?? { x: 0, y: 0 }, place.get(node) ?? { x: 0, y: 0 }];
      const [x1, y1, x2, y2] = [from.x + BOX.width / 2, from.y + BOX.height, to.x + BOX.width / 2, to.y];
      return `<path d="M${x1} ${y1} C${x1} ${y1 + BOX.gapY / 2} ${x2} ${y2 - BOX.gapY / 2} ${x2} ${y2}" fill="none" stroke="#888"/>`;
    }),
  );
  const boxes = order.map((node) => {
    const { x, y } = place.get(node) ?? { x: 0, y: 0 };
    const fill = COLOURS[node.op?.kind ?? "leaf"] ?? "#fff";
    const stroke = roots.includes(node) ? ' stroke-width="2.5"' : "";
    return (
      `<g transform="translate(${x} ${y})"><rect width="${BOX.width}" height="${BOX.height}" rx="5" fill="${fill}" stroke="#555"${stroke}/>` +
      `<text x="${BOX.width / 2}" y="16" text-anchor="middle">${escaped(nodeLabel(node))}</text>` +
      `<text x="${BOX.width / 2}" y="30" text-anchor="middle" fill="#666">${node.dtype} ${formatShape(node.shape)}</text></g>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-BOX.gapX} ${-BOX.gapY} ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">` +
    `${edges.join("")}${boxes.join("")}</svg>\n`
  );
}
