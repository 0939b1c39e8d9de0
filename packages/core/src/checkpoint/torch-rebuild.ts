import type { PickleFail } from "./pickle-cursor.ts";
import { describePickle } from "./pickle-describe.ts";
import { isNode, pickleSize, type PickleValue, sequenceItems } from "./pickle-value.ts";
import { shapeBytes } from "./safetensors-header.ts";
import { type StoredDType, storedFormat } from "./stored-dtype.ts";
import { TORCH_DTYPES } from "./torch-dtype.ts";

/** What a call may use. */
export interface CallContext {
  readonly fail: PickleFail;
  /** Counts values that a call copies: a short pickle could ask for the copy of a long list many times. */
  readonly charge: (values: number) => void;
}

/** PyTorch's own limit. */
const MAX_RANK = 64;

/**
 * The tensor of `torch._utils._rebuild_tensor`, `_v2` or `_v3`: `(storage, offset, size, stride, …)`, of which `_v3` names the
 * element type, as its seventh argument, and has a storage of raw bytes.
 *
 * @throws what `fail` throws when the view leaves its storage
 */
export function rebuildTensor(
  args: readonly PickleValue[],
  wanted: 4 | 6 | 7,
  { fail, charge }: CallContext,
): PickleValue {
  const [storage, offsetValue, sizeValue, strideValue] = args;
  if (!isNode(storage) || storage.kind !== "storage" || args.length < wanted)
    return fail("a tensor must be rebuilt from a storage, offset, size and stride", describeArgs(args));
  const dtype = wanted === 7 ? namedDType(args[6], fail) : storage.dtype;
  if (dtype === undefined) return fail("a tensor must have an element type", "a storage of raw bytes");

  const offset = pickleSize(offsetValue);
  const shape = sizes(sizeValue);
  const strides = sizes(strideValue);
  if (offset === undefined || shape === undefined || strides === undefined || shape.length !== strides.length)
    return fail(
      `a tensor must have a non-negative offset, and as many sizes as strides, at most ${MAX_RANK}`,
      `offset ${describePickle(offsetValue)}, size ${describePickle(sizeValue)}, stride ${describePickle(strideValue)}`,
    );
  charge(2 * shape.length);
  if (shapeBytes(dtype, shape) === undefined) fail("a tensor must be below 2^53 bytes", `[${shape.join(", ")}]`);
  const held = storage.bytes / storedFormat(dtype).itemBytes;
  const reach = shape.includes(0)
    ? offset
    : offset + 1 + shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] ?? 0), 0);
  // Rounded sums beyond 2^53 are larger than any storage.
  if (reach > held) fail(`a tensor must lie within the ${held} elements of its storage`, `${reach}`);
  return { kind: "tensor", storage, dtype, offset, shape, strides };
}

const BUILDERS: ReadonlyMap<string, 4 | 6 | 7> = new Map([
  ["torch._utils._rebuild_tensor", 4],
  ["torch._utils._rebuild_tensor_v2", 6],
  ["torch._utils._rebuild_tensor_v3", 7],
]);
const TENSOR_CLASSES: ReadonlySet<string> = new Set(["torch.Tensor", "torch.nn.parameter.Parameter"]);

/** `torch._tensor._rebuild_from_type_v2(rebuild, class, arguments, state)`: a tensor that carries Python attributes, which are dropped. */
export function rebuildTensorOfType(args: readonly PickleValue[], context: CallContext): PickleValue {
  const [builder, type, inner] = args;
  const wanted = isNode(builder) && builder.kind === "global" ? BUILDERS.get(builder.name) : undefined;
  const plain = isNode(type) && type.kind === "global" && TENSOR_CLASSES.has(type.name);
  const innerArgs = sequenceItems(inner);
  if (wanted === undefined || !plain || innerArgs === undefined || args.length !== 4)
    return context.fail("a tensor with attributes must be a Tensor or Parameter", describeArgs(args));
  return rebuildTensor(innerArgs, wanted, context);
}

function namedDType(value: PickleValue | undefined, fail: PickleFail): StoredDType {
  const name = isNode(value) && value.kind === "dtype" ? value.name : undefined;
  const remedy = "convert it in Python before saving";
  return (
    TORCH_DTYPES.get(name ?? "") ??
    fail("tensors must be of a real or integer type", name ?? describePickle(value), remedy)
  );
}

/** Lengths of at most `MAX_RANK` axes. */
function sizes(value: PickleValue | undefined): readonly number[] | undefined {
  const items = sequenceItems(value);
  if (items === undefined || items.length > MAX_RANK) return undefined;
  const lengths = items.map(pickleSize).filter((size) => size !== undefined);
  return lengths.length === items.length ? lengths : undefined;
}

function describeArgs(args: readonly PickleValue[]): string {
  return describePickle({ kind: "tuple", items: [...args] });
}
