import { argmax, concat, conv2d, index, interpolate, relu6, ShapeError, stack, unbind } from "@omni/core";
import type { ConvOptions, Tensor } from "@omni/core";

/** A node that is to be computed. */
export interface OpCall {
  readonly inputs: readonly Tensor[];
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Values of an input that the graph holds as a constant: shapes and axes. */
  readonly integers: (input: number) => readonly number[];
}

type Op = (call: OpCall) => Tensor | readonly Tensor[];

const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Op =>
  ({ inputs }) =>
    f(at(inputs, 0), at(inputs, 1));
const unary =
  (f: (x: Tensor) => Tensor): Op =>
  ({ inputs }) =>
    f(at(inputs, 0));

/** TensorFlow's ops that MoveNet's and MediaPipe's hand graphs are made of, pictures in [B, H, W, C]. @see tensorflow.org/api_docs/python/tf/raw_ops */
export const graphOps: ReadonlyMap<string, Op> = new Map<string, Op>([
  ["Identity", unary((x) => x)],
  ["Relu", unary((x) => x.relu())],
  ["Relu6", unary(relu6)],
  ["Sigmoid", unary((x) => x.sigmoid())],
  ["Sqrt", unary((x) => x.sqrt())],
  ["AddV2", binary((a, b) => a.add(b))],
  ["Sub", binary((a, b) => a.sub(b))],
  ["Mul", binary((a, b) => a.mul(b))],
  ["RealDiv", binary((a, b) => a.div(b))],
  ["FloorDiv", binary((a, b) => a.floorDivide(b))],
  ["SquaredDifference", binary((a, b) => a.sub(b).square())],
  ["AddN", ({ inputs }) => inputs.reduce((sum, x) => sum.add(x))],
  ["Cast", (call) => at(call.inputs, 0).cast(dtypeOf(call))],
  ["Reshape", ({ inputs, integers }) => at(inputs, 0).reshape(withoutHole(at(inputs, 0), integers(1)))],
  ["ExpandDims", ({ inputs, integers }) => at(inputs, 0).unsqueeze(integers(1)[0] ?? 0)],
  ["Squeeze", (call) => squeezed(at(call.inputs, 0), integerList(call, "squeeze_dims"))],
  ["Unpack", (call) => unbind(at(call.inputs, 0), integer(call, "axis"))],
  ["Pack", (call) => stack(call.inputs, { axis: integer(call, "axis") })],
  ["ConcatV2", ({ inputs, integers }) => concat(inputs.slice(0, -1), { axis: integers(inputs.length - 1)[0] ?? 0 })],
  ["ArgMax", ({ inputs, integers }) => argmax(at(inputs, 0), { axis: integers(1)[0] ?? 0 })],
  ["GatherNd", binary((x, ids) => index(x, unbind(ids, -1)))],
  ["Mean", (call) => at(call.inputs, 0).mean({ axis: [...call.integers(1)], keepdim: flag(call, "keep_dims") })],
  ["ResizeBilinear", resizeBilinear],
  ["Conv2D", (call) => activated(call, convolve(call, false))],
  ["_FusedConv2D", (call) => activated(call, convolve(call, false))],
  ["DepthwiseConv2dNative", (call) => activated(call, convolve(call, true))],
  ["FusedDepthwiseConv2dNative", (call) => activated(call, convolve(call, true))],
  ["_FusedMatMul", (call) => activated(call, product(call))],
]);

/** Weights come as [h, w, in, out], depthwise ones as [h, w, in, multiple]; a fused bias is the third input. */
function convolve(call: OpCall, depthwise: boolean): Tensor {
  const [x, filter] = [at(call.inputs, 0), at(call.inputs, 1)];
  const [kh = 1, kw = 1, channels = 1, multiple = 1] = filter.shape;
  if (text(call, "data_format", "NHWC") !== "NHWC") throw unsupported("data_format", text(call, "data_format", "NHWC"));
  const stride = integerList(call, "strides").slice(1, 3);
  const dilation = integerList(call, "dilations").slice(1, 3);
  const reach = [kh, kw].map((k, i) => (dilation[i] ?? 1) * (k - 1) + 1);
  const padding = reach.map((r, i) => pads(call, x.shape[i + 1] ?? 0, r, stride[i] ?? 1));
  const options: ConvOptions = {
    stride,
    dilation: dilation.length > 0 ? dilation : 1,
    padding,
    groups: depthwise ? channels : 1,
  };
  if (depthwise && multiple === 1) return depthwiseTaps(call, padding, stride, dilation);
  const weight = depthwise ? filter.reshape([kh, kw, 1, channels * multiple]) : filter;
  const bias = fused(call).includes("BiasAdd") ? at(call.inputs, 2) : null;
  return conv2d(x.permute([0, 3, 1, 2]), weight.permute([3, 2, 0, 1]), bias, options).permute([0, 2, 3, 1]);
}

/**
 * One filter a channel as a sum over its taps: elementwise work on channels that lie side by side, which runs as one kernel. On software adapters it
 * takes less than half the time of a convolution in as many groups.
 */
function depthwiseTaps(
  call: OpCall,
  padding: readonly (readonly [number, number])[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor {
  const [x, filter] = [at(call.inputs, 0), at(call.inputs, 1)];
  const padded = x.pad([[0, 0], ...padding, [0, 0]]);
  const taps = [0, 1].map((i) => {
    const [kernel, n] = [filter.shape[i] ?? 1, padded.shape[i + 1] ?? 1];
    const reach = (dilation[i] ?? 1) * (kernel - 1) + 1;
    const last = Math.floor((n - reach) / (stride[i] ?? 1)) * (stride[i] ?? 1);
    return Array.from({ length: kernel }, (_, k) => ({
      k,
      from: k * (dilation[i] ?? 1),
      to: k * (dilation[i] ?? 1) + last + 1,
    }));
  });
  const [rows = [], columns = []] = taps;
  const terms = rows.flatMap((row) => {
    const band = padded.slice(1, row.from, row.to, stride[0] ?? 1);
    return columns.map((column) =>
      band.slice(2, column.from, column.to, stride[1] ?? 1).mul(
        filter
          .slice(0, row.k, row.k + 1)
          .slice(1, column.k, column.k + 1)
          .reshape([filter.shape[2] ?? 1]),
      ),
    );
  });
  const sum = terms.reduce((a, b) => a.add(b));
  return fused(call).includes("BiasAdd") ? sum.add(at(call.inputs, 2)) : sum;
}

/** SAME makes ⌈n / stride⌉ outputs, with the odd zero behind. */
function pads(call: OpCall, n: number, reach: number, stride: number): readonly [number, number] {
  const kind = text(call, "padding", "VALID");
  if (kind === "VALID") return [0, 0];
  if (kind !== "SAME") throw unsupported("padding", kind);
  const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + reach - n);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function product(call: OpCall): Tensor {
  const turned = (x: Tensor, name: string): Tensor => (flag(call, name) ? x.transpose() : x);
  const y = turned(at(call.inputs, 0), "transpose_a").matmul(turned(at(call.inputs, 1), "transpose_b"));
  return fused(call).includes("BiasAdd") ? y.add(at(call.inputs, 2)) : y;
}

function activated(call: OpCall, y: Tensor): Tensor {
  return fused(call).reduce((x, name) => {
    if (name === "BiasAdd") return x;
    if (name === "Relu") return x.relu();
    if (name === "Relu6") return relu6(x);
    throw unsupported("fused_ops", name);
  }, y);
}

function resizeBilinear(call: OpCall): Tensor {
  if (!flag(call, "half_pixel_centers") || flag(call, "align_corners"))
    throw unsupported("half_pixel_centers", flag(call, "half_pixel_centers"));
  const x = at(call.inputs, 0).permute([0, 3, 1, 2]);
  return interpolate(x, { size: call.integers(1), mode: "linear" }).permute([0, 2, 3, 1]);
}

function squeezed(x: Tensor, axes: readonly number[]): Tensor {
  const all =
    axes.length > 0 ? axes.map((a) => (a < 0 ? a + x.ndim : a)) : x.shape.flatMap((n, a) => (n === 1 ? [a] : []));
  return x.reshape(x.shape.filter((_, a) => !all.includes(a)));
}

/** A shape with its -1 filled in. */
function withoutHole(x: Tensor, shape: readonly number[]): number[] {
  const known = shape.reduce((n, side) => (side < 0 ? n : n * side), 1);
  return shape.map((side) => (side < 0 ? x.size / known : side));
}

function dtypeOf(call: OpCall): "f32" | "i32" | "bool" {
  const type = recordOf(call.attrs["DstT"])["type"];
  if (type === "DT_FLOAT") return "f32";
  if (type === "DT_INT32") return "i32";
  if (type === "DT_BOOL") return "bool";
  throw unsupported("DstT", type);
}

const unsupported = (attribute: string, value: unknown): ShapeError =>
  new ShapeError(`${attribute} ${JSON.stringify(value)} is not supported`);

function at(inputs: readonly Tensor[], i: number): Tensor {
  const x = inputs[i];
  if (x === undefined) throw new ShapeError(`must have more than ${i} inputs, got ${inputs.length}`);
  return x;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

const integer = ({ attrs }: OpCall, name: string): number => Number(recordOf(attrs[name])["i"] ?? 0);
const flag = ({ attrs }: OpCall, name: string): boolean => recordOf(attrs[name])["b"] === true;

function integerList({ attrs }: OpCall, name: string): number[] {
  const { i } = recordOf(recordOf(attrs[name])["list"]);
  return Array.isArray(i) ? i.map(Number) : [];
}

function text({ attrs }: OpCall, name: string, otherwise: string): string {
  const { s } = recordOf(attrs[name]);
  return typeof s === "string" ? atob(s) : otherwise;
}

function fused({ attrs }: OpCall): string[] {
  const { s } = recordOf(recordOf(attrs["fused_ops"])["list"]);
  return Array.isArray(s) ? s.map((name) => atob(String(name))) : [];
}
