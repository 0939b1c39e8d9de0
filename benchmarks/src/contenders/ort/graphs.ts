import { paddingOf } from "../../ops/convolution.ts";
import type { InputsOf, KindName, SpecOf } from "../../ops/kinds.ts";
import { NORM_EPS } from "../../ops/rows.ts";
import { permuted } from "../layouts.ts";
import type { Attribute, Initializer, OnnxGraph, OnnxNode } from "./onnx-model.ts";

/** A graph, and how its result becomes what the op's formula gives. */
export interface OrtGraph extends OnnxGraph {
  readonly layout?: (values: Float32Array) => ArrayLike<number>;
}

type Graphs = { readonly [K in KindName]?: (spec: SpecOf<K>, inputs: InputsOf<K>) => OrtGraph };

const given = (name: string, shape: readonly number[], values: Float32Array | readonly number[]): Initializer => ({
  name,
  shape,
  values,
});

/** A graph of one node over its initializers in order. */
function single(
  op: string,
  initializers: readonly Initializer[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain: Pick<OnnxNode, "domain"> = {},
): OnnxGraph {
  const inputs = initializers.map(({ name }) => name);
  return { nodes: [{ op, inputs, output: "y", attributes, ...domain }], initializers, output: "y" };
}

/** The ops as the library has them; there are no gradients in it. */
export const graphs: Graphs = {
  matmul: ({ batch, m, k, n }, { a, b }) => {
    const lead = batch === 1 ? [] : [batch];
    return single("MatMul", [given("a", [...lead, m, k], a), given("b", [...lead, k, n], b)]);
  },
  softmax: ({ rows, columns }, { x }) => single("Softmax", [given("x", [rows, columns], x)], { axis: -1 }),
  layerNorm: ({ rows, columns }, { x, weight, bias }) =>
    single(
      "LayerNormalization",
      [given("x", [rows, columns], x), given("weight", [columns], weight), given("bias", [columns], bias)],
      { axis: -1, epsilon: { float: NORM_EPS } },
    ),
  rmsNorm: ({ rows, columns }, { x, weight }) =>
    single("SimplifiedLayerNormalization", [given("x", [rows, columns], x), given("weight", [columns], weight)], {
      axis: -1,
      epsilon: { float: NORM_EPS },
    }),
  groupNorm: ({ batch, channels, height, width, groups }, { x, weight, bias }) =>
    single(
      "GroupNormalization",
      [
        given("x", [batch, channels, height, width], x),
        given("weight", [channels], weight),
        given("bias", [channels], bias),
      ],
      { num_groups: groups, epsilon: { float: NORM_EPS } },
    ),
  attention: ({ heads, tokens, headDim }, { q, k, v }) => {
    // [1, H, N, D] ↔ [1, N, H·D]
    const swap = (values: Float32Array, shape: readonly number[]): Float32Array<ArrayBuffer> =>
      permuted(values, shape, [0, 2, 1, 3]);
    const flat = [1, tokens, heads * headDim];
    const inputs = Object.entries({ q, k, v }).map(([name, values]) =>
      given(name, flat, swap(values, [1, heads, tokens, headDim])),
    );
    return {
      ...single("MultiHeadAttention", inputs, { num_heads: heads }, { domain: "com.microsoft" }),
      layout: (values) => swap(values, [1, tokens, heads, headDim]),
    };
  },
  convolution: (spec, { x, weight }) => {
    const { channels, out, size, kernel } = spec;
    const pads = paddingOf(spec);
    return single(
      "Conv",
      [given("x", [1, channels, ...size], x), given("weight", [out, channels, ...size.map(() => kernel)], weight)],
      { pads: [...pads.map(([before]) => before), ...pads.map(([, after]) => after)] },
    );
  },
  addGelu: ({ length }, { a, b }) => ({
    nodes: [
      { op: "Add", inputs: ["a", "b"], output: "sum" },
      { op: "Gelu", inputs: ["sum"], output: "y", attributes: { approximate: "tanh" } },
    ],
    initializers: [given("a", [length], a), given("b", [length], b)],
    output: "y",
  }),
  sum: ({ length }, { x }) => single("ReduceSum", [given("x", [length], x)], { keepdims: 0 }),
};
