import type { Node } from "../graph/node.ts";
import type { Epilogue } from "../kernels/epilogue.ts";
import { ExpressionWriter, KernelText, type Resolver } from "./expression.ts";
import { UniformFields } from "./index-map.ts";
import type { Value } from "./spec.ts";

/** The kernel op in the expression of `root`, if there is one. */
export function finishedIn(root: Node, inlined: (node: Node) => boolean): Node | null {
  const seen = new Set<Node>();
  const find = (node: Node): Node | null => {
    if (seen.has(node) || (node !== root && !inlined(node))) return null;
    seen.add(node);
    if (node.op?.kind === "kernel") return node;
    // its input is what is read
    if (node.op?.kind === "pad") return null;
    return node.inputs.reduce<Node | null>((found, input) => found ?? find(input), null);
  };
  return find(root);
}

/** An epilogue that makes the values of `root` of those of `kernel`, and what it reads, bound from `binding` on. */
export function epilogueOf(
  root: Node,
  kernel: Node,
  binding: number,
  resolve: Resolver,
): { epilogue: Epilogue; values: readonly Value[] } {
  const uniforms = new UniformFields();
  const text = new KernelText(uniforms, binding);
  const local = (node: Node): string | null => (node === kernel ? "value" : null);
  const writer = new ExpressionWriter(4, { ...resolve, local }, null, text);
  const result = writer.write(root);
  const wgsl = `${text.declarations.join("\n")}
${text.header}fn finish(i: u32, value: vec4<f32>) -> vec4<f32> {
    ${writer.body}
    return ${result};
}
`;
  return { epilogue: { wgsl, reads: text.values.length, fields: uniforms.fields }, values: text.values };
}
