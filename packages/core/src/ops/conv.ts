import { promote } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { expectShape, formatShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { convForward, type Geometry, packGeometry } from "../primitives/conv.ts";
import { expectDType } from "../tensor/build.ts";
import { zeros } from "../tensor/create.ts";
import { Tensor } from "../tensor/tensor.ts";
import { perAxis, type PerAxis, three } from "./conv-axes.ts";

/** Geometry of a convolution, for all axes or one an axis. */
export interface ConvOptions {
  /** Input elements from one output to the next; 1 by default. */
  readonly stride?: PerAxis;
  /** Zeros around each axis: one number, one an axis, or [before, after] an axis. */
  readonly padding?: number | readonly (number | readonly [number, number])[];
  /** Input elements between two taps of the kernel; 1 by default. */
  readonly dilation?: PerAxis;
  /** Parts of the channels that do not see each other; 1 by default. */
  readonly groups?: number;
}

function pads(padding: ConvOptions["padding"], rank: number): [number, number][] {
  return Array.from({ length: rank }, (_, i) => {
    const p = typeof padding === "number" ? padding : (padding?.[i] ?? 0);
    return typeof p === "number" ? [p, p] : [p[0], p[1]];
  });
}

/**
 * Runs channels-last: the permutations around the kernel cancel between two convolutions, and the weight is laid out tap by tap.
 */
function conv(
  name: string,
  rank: 1 | 2 | 3,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvOptions,
): Tensor {
  const groups = options.groups ?? 1;
  const [batch = 0, channels = 0, ...input] = x.shape;
  const [out = 0, perGroup = 0, ...kernel] = weight.shape;
  if (x.ndim !== rank + 2 || weight.ndim !== rank + 2 || channels !== perGroup * groups || out % groups !== 0)
    throw new ShapeError(
      `${name}: x [B, C, …] and weight [O, C/groups, …] of ${rank} axes must share C with groups ${groups} dividing O, ` +
        `got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  if (bias) expectShape(name, "bias", bias.shape, [out]);
  for (const t of [x, weight, ...(bias ? [bias] : [])]) expectDType(name, t.dtype, ["f32"]);
  const dtype = promote(name, x.dtype, weight.dtype);
  const stride = perAxis(options.stride, rank, 1);
  const dilation = perAxis(options.dilation, rank, 1);
  const padding = pads(options.padding, rank);
  if ([...stride, ...dilation].some((s) => !Number.isInteger(s) || s < 1))
    throw new ShapeError(
      `${name}: strides and dilations must be whole numbers of at least 1, got ${formatShape(stride)} and ${formatShape(dilation)}`,
    );
  const output = input.map((n, i) => {
    const [before, after] = padding[i] ?? [0, 0];
    const length = n + before + after;
    const reach = (dilation[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1;
    if (length > 0 && length < reach)
      throw new ShapeError(
        `${name}: the kernel must fit the padded input, got a reach of ${reach} over ${length} elements of axis ${i + 2} (kernel ${formatShape(kernel)}, input ${formatShape(input)})`,
      );
    return length === 0 ? 0 : Math.floor((length - reach) / (stride[i] ?? 1)) + 1;
  });
  if (x.size === 0 || weight.size === 0) {
    // sums of nothing
    const y = zeros([batch, out, ...output], dtype);
    return bias ? y.add(bias.reshape([out, ...new Array<number>(rank).fill(1)])) : y;
  }
  const geometry: Geometry = {
    batch,
    input: three(input, 1),
    cin: channels,
    output: three(output, 1),
    cout: out,
    kernel: three(kernel, 1),
    stride: three(stride, 1),
    padBefore: three(
      padding.map(([before]) => before),
      0,
    ),
    dilation: three(dilation, 1),
    groups,
  };
  const axes = Array.from({ length: rank }, (_, i) => i + 2);
  const taps = kernel.reduce((n, k) => n * k, 1);
  const last = x.permute([0, ...axes, 1]).reshape([batch, ...geometry.input, channels]);
  const matrix = weight.permute([...axes, 1, 0]).reshape([taps * perGroup, out]);
  const inputs = [last.node, matrix.node, ...(bias ? [bias.node] : [])];
  const y = new Tensor(new Node(convForward, inputs, packGeometry(geometry), [batch, ...geometry.output, out], dtype));
  return y.reshape([batch, ...output, out]).permute([0, rank + 1, ...axes.map((a) => a - 1)]);
}

/** Cross-correlation over [B, C, L] with weight [O, C/groups, k]. @throws ShapeError when sizes disagree */
export const conv1d = (x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor =>
  conv("conv1d", 1, x, weight, bias, options);
/** Cross-correlation over [B, C, H, W] with weight [O, C/groups, kh, kw]. @throws ShapeError when sizes disagree */
export const conv2d = (x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor =>
  conv("conv2d", 2, x, weight, bias, options);
/** Cross-correlation over [B, C, T, H, W] with weight [O, C/groups, kt, kh, kw]. @throws ShapeError when sizes disagree */
export const conv3d = (x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor =>
  conv("conv3d", 3, x, weight, bias, options);
