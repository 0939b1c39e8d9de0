import { sizeOf } from "../base/shape.ts";
import { isContiguous } from "../base/view.ts";
import {
  canFinishConv,
  convForwardProgram,
  convInputGradProgram,
  convWeightGradProgram,
  type ConvSpec,
} from "../kernels/conv.ts";
import { Node } from "../graph/node.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DeviceTraits, Program } from "../kernels/kernel.ts";
import { zeroFill } from "./simple-kernel.ts";
import { nextOpId, type KernelInput, type KernelOp, type MakeTensor } from "./op.ts";

export type Triple = [number, number, number];

/** A convolution over [batch, D, H, W, C]; 1-D and 2-D ones have leading sizes of 1. */
export interface Geometry {
  readonly batch: number;
  readonly input: Triple;
  readonly cin: number;
  readonly output: Triple;
  readonly cout: number;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padBefore: Triple;
  readonly dilation: Triple;
  readonly groups: number;
}

export const packGeometry = (g: Geometry): number[] => [
  g.batch,
  g.cin,
  g.cout,
  g.groups,
  ...g.input,
  ...g.output,
  ...g.kernel,
  ...g.stride,
  ...g.padBefore,
  ...g.dilation,
];

export function unpackGeometry(attrs: readonly number[]): Geometry {
  const [batch = 0, cin = 0, cout = 0, groups = 1] = attrs;
  const triple = (i: number): Triple => [attrs[4 + 3 * i] ?? 1, attrs[5 + 3 * i] ?? 1, attrs[6 + 3 * i] ?? 1];
  return {
    batch,
    cin,
    cout,
    groups,
    input: triple(0),
    output: triple(1),
    kernel: triple(2),
    stride: triple(3),
    padBefore: triple(4),
    dilation: triple(5),
  };
}

const accepts: KernelOp["accepts"] = (view) => isContiguous(view) && view.offset === 0;
const taps = ({ kernel: [a, b, c] }: Geometry): number => a * b * c;
const inputShape = (g: Geometry): number[] => [g.batch, ...g.input, g.cin];
const outputShape = (g: Geometry): number[] => [g.batch, ...g.output, g.cout];
const weightShape = (g: Geometry): number[] => [(taps(g) * g.cin) / g.groups, g.cout];
const flops: KernelOp["flops"] = (_, attrs) => {
  const g = unpackGeometry(attrs);
  return (2 * sizeOf(outputShape(g)) * taps(g) * g.cin) / g.groups;
};
function programOf(
  make: (spec: ConvSpec, traits: DeviceTraits) => Program,
  result: (g: Geometry) => number[],
): KernelOp["program"] {
  return (inputs, attrs, traits) => {
    const size = sizeOf(result(unpackGeometry(attrs)));
    // an empty sum is zero
    if (isEmpty(inputs, size)) return zeroFill("conv", size);
    return make(specOf(inputs, attrs), traits);
  };
}

/** The kernels take sizes of at least 1. */
const isEmpty = (inputs: readonly KernelInput[], size: number): boolean =>
  size === 0 || inputs.some((view) => sizeOf(view.shape) === 0);

function specOf(inputs: readonly KernelInput[], attrs: readonly number[]): ConvSpec {
  const g = unpackGeometry(attrs);
  const { cin: inChannels, cout: outChannels, padBefore: padding } = g;
  return { ...g, inChannels, outChannels, padding, bias: inputs.length === 3 };
}

const sumRows = (dy: Tensor): Tensor => dy.sum({ axis: dy.shape.slice(0, -1).map((_, i) => i) });

/** Weights with the two channel axes of each tap and group swapped; `rows` says which of them the rows hold before. */
function swapChannels(w: Tensor, g: Geometry, rows: "in" | "out"): Tensor {
  const [cin, cout] = [g.cin / g.groups, g.cout / g.groups];
  const [from, to] = rows === "in" ? [cin, cout] : [cout, cin];
  return w
    .reshape([taps(g), from, g.groups, to])
    .permute([0, 3, 2, 1])
    .reshape([taps(g) * to, g.groups * from]);
}

type Rule = (a: Tensor, b: Tensor, attrs: readonly number[], make: MakeTensor) => Tensor;
const inputGrad: Rule = (dy, w, attrs, make) => {
  const g = unpackGeometry(attrs);
  return make(new Node(convInputGrad, [dy.node, swapChannels(w, g, "in").node], attrs, inputShape(g), "f32"));
};
const weightGrad: Rule = (x, dy, attrs, make) =>
  make(new Node(convWeightGrad, [x.node, dy.node], attrs, weightShape(unpackGeometry(attrs)), "f32"));
const forward: Rule = (x, w, attrs, make) =>
  make(new Node(convForward, [x.node, w.node], attrs, outputShape(unpackGeometry(attrs)), "f32"));

/** Inputs: x [batch, D, H, W, cin], w [taps · cin/groups, cout] tap by tap, bias [cout] or none. attrs: the packed geometry. */
export const convForward: KernelOp = {
  id: nextOpId(),
  name: "conv",
  kind: "kernel",
  outputs: (_, attrs) => [{ shape: outputShape(unpackGeometry(attrs)), dtype: "f32" }],
  accepts,
  flops,
  program: programOf(convForwardProgram, outputShape),
  finished: (inputs, attrs, traits, epilogue) => {
    const spec = specOf(inputs, attrs);
    return isEmpty(inputs, sizeOf(outputShape(unpackGeometry(attrs)))) || !canFinishConv(spec, traits)
      ? null
      : convForwardProgram({ ...spec, epilogue }, traits);
  },
  vjp: (dy, [x, w, bias], _, attrs, make) =>
    x && w ? [inputGrad(dy, w, attrs, make), weightGrad(x, dy, attrs, make), ...(bias ? [sumRows(dy)] : [])] : [],
};

/** Gradient of the input. Inputs: dy, w with its channels swapped. */
export const convInputGrad: KernelOp = {
  id: nextOpId(),
  name: "convInputGrad",
  kind: "kernel",
  outputs: (_, attrs) => [{ shape: inputShape(unpackGeometry(attrs)), dtype: "f32" }],
  accepts,
  flops,
  program: programOf(convInputGradProgram, inputShape),
  vjp: (dx, [dy, swapped], _, attrs, make) => {
    if (!dy || !swapped) return [];
    const g = unpackGeometry(attrs);
    const dw = weightGrad(dx, dy, attrs, make);
    return [forward(dx, swapChannels(swapped, g, "out"), attrs, make), swapChannels(dw, g, "in")];
  },
};

/** Gradient of the weight. Inputs: x, dy. */
export const convWeightGrad: KernelOp = {
  id: nextOpId(),
  name: "convWeightGrad",
  kind: "kernel",
  outputs: (_, attrs) => [{ shape: weightShape(unpackGeometry(attrs)), dtype: "f32" }],
  accepts,
  flops,
  program: programOf(convWeightGradProgram, weightShape),
  vjp: (dw, [x, dy], _, attrs, make) => (x && dy ? [inputGrad(dy, dw, attrs, make), forward(x, dw, attrs, make)] : []),
};
