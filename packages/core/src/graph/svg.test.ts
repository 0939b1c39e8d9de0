import { describe, expect, test } from "vitest";
import { elementwise } from "../primitives/elementwise.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nodeLabel } from "./describe.ts";
import { Node, topologicalOrder } from "./node.ts";
import { svgOfNodes } from "./svg.ts";

/** Tags in order; an element that does not close, or closes another, is an error. */
function parsed(svg: string): { name: string; attributes: string; text: string }[] {
  const open: string[] = [];
  const found: { name: string; attributes: string; text: string }[] = [];
  let rest = svg.trimEnd();
  while (rest !== "") {
    const tag = /^<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>([^<>]*)/.exec(rest);
    if (!tag) throw new Error(`not well-formed at ${rest.slice(0, 80)}`);
    const [all, closes, name = "", attributes = "", alone, text = ""] = tag;
    if (/&(?!amp;|lt;|gt;)/.test(text)) throw new Error(`a bare & in ${text}`);
    if (closes) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      found.push({ name, attributes, text });
      if (!alone) open.push(name);
    }
    rest = rest.slice(all.length);
  }
  if (open.length > 0) throw new Error(`<${open.join("> <")}> stays open`);
  return found;
}
const rects = (svg: string): string[] => parsed(svg).flatMap((t) => (t.name === "rect" ? [t.attributes] : []));
const count = (svg: string, name: string): number => parsed(svg).filter((t) => t.name === name).length;

describe("svgOfNodes", () => {
  const x = tensor([[1, 2, 3]]);
  const y = x.mul(x).sum({ axis: 1 }).exp();
  const order = topologicalOrder([y.node]);

  test("is well-formed, with a box for every node and a line for every input", () => {
    const svg = svgOfNodes([y.node]);
    const texts = parsed(svg).flatMap((t) => (t.name === "text" ? [t.text] : []));
    expect(texts).toEqual(order.flatMap((n) => [nodeLabel(n), `${n.dtype} [${n.shape.join(", ")}]`]));
    expect(count(svg, "rect")).toBe(order.length);
    expect(count(svg, "path")).toBe(order.reduce((n, node) => n + node.inputs.length, 0));
  });

  test("sets results in bold", () => {
    const bold = rects(svgOfNodes([y.node, order[1] ?? y.node])).map((a) => a.includes('stroke-width="2.5"'));
    expect(bold).toEqual(order.map((n) => n === y.node || n === order[1]));
  });

  test("puts each node below its inputs, and no two in one place", () => {
    const wide = [x, x.exp(), x.sin(), x.cos()].reduce((a: Tensor, b) => a.add(b.mul(a)));
    const nodes = topologicalOrder([wide.node]);
    const places = parsed(svgOfNodes([wide.node])).flatMap(({ name, attributes }) => {
      const [, left, top] = /translate\((\S+) (\S+)\)/.exec(attributes) ?? [];
      return name === "g" ? [{ x: Number(left), y: Number(top) }] : [];
    });
    expect(new Set(places.map((p) => `${p.x} ${p.y}`)).size).toBe(nodes.length);
    nodes.forEach((node, i) =>
      node.inputs.forEach((n) => expect(places[nodes.indexOf(n)]?.y).toBeLessThan(places[i]?.y ?? NaN)),
    );
  });

  test("escapes what an op is called, and is an empty picture of nothing", () => {
    const odd = new Node({ ...elementwise.exp, name: "a<b & c>d" }, [x.node], [], x.shape, "f32");
    expect(parsed(svgOfNodes([odd])).some((t) => t.text === "a&lt;b &amp; c&gt;d")).toBe(true);
    expect(rects(svgOfNodes([]))).toEqual([]);
  });
});
