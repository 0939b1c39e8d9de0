import { promote } from "../base/dtype.ts";
import { ShapeError } from "../base/errors.ts";
import { expectShape, formatShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { convInputGrad, type Geometry, packGeometry } from "../primitives/conv.ts";
import { expectDType } from "../tensor/build.ts";
import { Tensor } from "../tensor/tensor.ts";
import { perAxis, type PerAxis, three } from "./conv-axes.ts";

/** Geometry of a transposed convolution, for all axes or one an axis. */
export interface ConvTransposeOptions {
  /** Output elements from one input to the next; 1 by default. */
  readonly stride?: PerAxis;
  /** Elements cut off both ends of each axis. */
  readonly padding?: PerAxis;
  /** Elements added to the end of each axis: which of the lengths that a strided convolution maps to one. */
  readonly outputPadding?: PerAxis;
  /** Output elements between two taps of the kernel; 1 by default. */
  readonly dilation?: PerAxis;
  /** Parts of the channels that do not see each other; 1 by default. */
  readonly groups?: number;
}

/** The transpose of a convolution is the gradient of its input, computed by the same kernel. */
function convTranspose(
  name: string,
  rank: 1 | 2 | 3,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvTransposeOptions,
): Tensor {
  const groups = options.groups ?? 1;
  const [batch = 0, channels = 0, ...input] = x.shape;
  const [from = 0, perGroup = 0, ...kernel] = weight.shape;
  if (x.ndim !== rank + 2 || weight.ndim !== rank + 2 || channels !== from || channels % groups !== 0)
    throw new ShapeError(
      `${name}: x [B, C, …] and weight [C, O/groups, …] of ${rank} axes must share C, divisible by groups ${groups}, ` +
        `got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  const out = perGroup * groups;
  if (bias) expectShape(name, "bias", bias.shape, [out]);
  for (const t of [x, weight, ...(bias ? [bias] : [])]) expectDType(name, t.dtype, ["f32"]);
  const stride = perAxis(options.stride, rank, 1);
  const padding = perAxis(options.padding, rank, 0);
  const extra = perAxis(options.outputPadding, rank, 0);
  const dilation = perAxis(options.dilation, rank, 1);
  if ([...stride, ...dilation].some((s) => !Number.isInteger(s) || s < 1))
    throw new ShapeError(
      `${name}: strides and dilations must be whole numbers of at least 1, got ${formatShape(stride)} and ${formatShape(dilation)}`,
    );
  if (extra.some((e, i) => e < 0 || e >= Math.max(stride[i] ?? 1, dilation[i] ?? 1)))
    throw new ShapeError(`${name}: outputPadding must be less than stride or dilation, got ${formatShape(extra)}`);
  const output = input.map(
    (n, i) =>
      (n - 1) * (stride[i] ?? 1) -
      2 * (padding[i] ?? 0) +
      (dilation[i] ?? 1) * ((kernel[i] ?? 1) - 1) +
      (extra[i] ?? 0) +
      1,
  );
  if (x.size > 0 && output.some((n) => n < 1))
    throw new ShapeError(`${name}: the result must have at least 1 element an axis, got ${formatShape(output)}`);
  const taps = kernel.reduce((n, k) => n * k, 1);
  const axes = Array.from({ length: rank }, (_, i) => i + 2);
  const geometry: Geometry = {
    batch,
    input: three(output, 1),
    cin: out,
    output: three(input, 1),
    cout: channels,
    kernel: three(kernel, 1),
    stride: three(stride, 1),
    padBefore: three(padding, 0),
    dilation: three(dilation, 1),
    groups,
  };
  const last = x.permute([0, ...axes, 1]).reshape([batch, ...geometry.output, channels]);
  const swapped = weight
    .reshape([groups, channels / groups, perGroup, taps])
    .permute([3, 1, 0, 2])
    .reshape([(taps * channels) / groups, groups * perGroup]);
  const node = new Node(
    convInputGrad,
    [last.node, swapped.node],
    packGeometry(geometry),
    [batch, ...geometry.input, out],
    promote(name, x.dtype, weight.dtype),
  );
  const y = new Tensor(node).reshape([batch, ...output, out]);
  return (bias ? y.add(bias) : y).permute([0, rank + 1, ...axes.map((a) => a - 1)]);
}

/** Transposed convolution of [B, C, L] with weight [C, O/groups, k]. @throws ShapeError when sizes disagree */
export const convTranspose1d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor => convTranspose("convTranspose1d", 1, x, weight, bias, options);
/** Transposed convolution of [B, C, H, W] with weight [C, O/groups, kh, kw]. @throws ShapeError when sizes disagree */
export const convTranspose2d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor => convTranspose("convTranspose2d", 2, x, weight, bias, options);
/** Transposed convolution of [B, C, T, H, W] with weight [C, O/groups, kt, kh, kw]. @throws ShapeError when sizes disagree */
export const convTranspose3d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor => convTranspose("convTranspose3d", 3, x, weight, bias, options);
