import { quote } from "./checkpoint-error.ts";
import { describePickle } from "./pickle-describe.ts";
import type { PickleFail } from "./pickle-cursor.ts";
import { isNode, type PickleGlobal, type PickleValue, sequenceItems } from "./pickle-value.ts";
import { numpyDType, numpyScalar } from "./numpy-scalar.ts";
import { OTHER_TORCH_DTYPES, STORAGE_CLASSES, TORCH_DTYPES } from "./torch-dtype.ts";
import { type CallContext, rebuildTensor, rebuildTensorOfType } from "./torch-rebuild.ts";

type Call = (args: readonly PickleValue[], context: CallContext) => PickleValue;

const REFUSED = "nothing was run; where you trust the file, load it in Python and save its state_dict() alone";

// Text of one value's worth of memory.
const CHARGED_CHARACTERS = 8;

function refuseArgs(name: string, args: readonly PickleValue[], fail: PickleFail): never {
  return fail(
    `${name} must have the arguments that Python gives it`,
    describePickle({ kind: "tuple", items: [...args] }),
  );
}

/** A dict from a list of pairs, from another dict, or empty. */
const makeDict: Call = (args, { fail, charge }) => {
  const [from, ...more] = args;
  const items: PickleValue[] = [];
  if (from === undefined) return { kind: "dict", items };
  if (more.length > 0) return refuseArgs("a dict", args, fail);
  if (isNode(from) && from.kind === "dict") {
    charge(from.items.length);
    for (const item of from.items) items.push(item);
    return { kind: "dict", items };
  }
  for (const pair of sequenceItems(from) ?? refuseArgs("a dict", args, fail)) {
    const [key, value, ...rest] = sequenceItems(pair) ?? [];
    if (key === undefined || value === undefined || rest.length > 0) return refuseArgs("a dict", args, fail);
    charge(2);
    items.push(key, value);
  }
  return { kind: "dict", items };
};

const makeSequence =
  (kind: "list" | "tuple" | "set"): Call =>
  (args, { fail, charge }) => {
    const [from, ...more] = args;
    if (from === undefined) return { kind, items: [] };
    const items = more.length > 0 ? undefined : sequenceItems(from);
    if (items === undefined) return refuseArgs(`a ${kind}`, args, fail);
    charge(items.length);
    return { kind, items: [...items] };
  };

/** How protocols below 3 write bytes: as text whose characters are below 256. */
const encodeLatin1: Call = (args, { fail, charge }) => {
  const [text, encoding] = args;
  if (typeof text !== "string" || encoding !== "latin1" || args.length > 2)
    return refuseArgs("_codecs.encode", args, fail);
  charge(Math.ceil(text.length / CHARGED_CHARACTERS));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) fail("bytes written as text must be below 256", `${unit}`);
    bytes[i] = unit;
  }
  return bytes;
};

const emptyBytes: Call = (args, { fail }) => (args.length === 0 ? new Uint8Array(0) : refuseArgs("bytes", args, fail));

const makeRecord: Call = (args, { fail }) =>
  args.length === 0 ? { kind: "record", items: [] } : refuseArgs("a Namespace", args, fail);

/** How protocols below 2 make an object of a class. */
const reconstruct: Call = (args, context) => {
  const [type, base, state, ...more] = args;
  const plain = isGlobal(type, "argparse.Namespace") && isGlobal(base, "builtins.object") && state === null;
  return plain && more.length === 0
    ? makeRecord([], context)
    : refuseArgs("copyreg._reconstructor", args, context.fail);
};

function isGlobal(value: PickleValue | undefined, name: string): boolean {
  return isNode(value) && value.kind === "global" && value.name === name;
}

/** "cpu", "cuda:0": kept as text. */
const deviceName: Call = (args, { fail }) => {
  const [type, index, ...more] = args;
  if (typeof type !== "string" || more.length > 0) return refuseArgs("torch.device", args, fail);
  return typeof index === "number" ? `${type}:${index}` : type;
};

/** All that a pickle may call. Names alone are looked up here: nothing of this program can be reached through them. */
const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", makeDict],
  ["collections.Counter", makeDict],
  ["builtins.dict", makeDict],
  ["builtins.list", makeSequence("list")],
  ["builtins.tuple", makeSequence("tuple")],
  ["builtins.set", makeSequence("set")],
  ["builtins.frozenset", makeSequence("set")],
  ["builtins.bytes", emptyBytes],
  ["_codecs.encode", encodeLatin1],
  ["argparse.Namespace", makeRecord],
  ["copyreg._reconstructor", reconstruct],
  ["numpy.dtype", (args, { fail }) => numpyDType(args, fail)],
  ["numpy.core.multiarray.scalar", (args, { fail }) => numpyScalar(args, fail)],
  ["torch.Size", makeSequence("tuple")],
  ["torch.device", deviceName],
  ["torch._utils._rebuild_tensor", (args, context) => rebuildTensor(args, 4, context)],
  ["torch._utils._rebuild_tensor_v2", (args, context) => rebuildTensor(args, 6, context)],
  ["torch._utils._rebuild_tensor_v3", (args, context) => rebuildTensor(args, 7, context)],
  ["torch._utils._rebuild_parameter", (args, { fail }) => wrappedTensor("_rebuild_parameter", args, fail)],
  ["torch._utils._rebuild_parameter_with_state", (args, { fail }) => wrappedTensor("_rebuild_parameter", args, fail)],
  ["torch._tensor._rebuild_from_type_v2", rebuildTensorOfType],
]);

/** A parameter is its tensor: gradients and hooks are no part of a checkpoint. */
function wrappedTensor(name: string, args: readonly PickleValue[], fail: PickleFail): PickleValue {
  const [tensor] = args;
  if (!isNode(tensor) || tensor.kind !== "tensor") return refuseArgs(name, args, fail);
  return tensor;
}

/** Names that may stand as an argument and do nothing else. */
const NAMED: ReadonlySet<string> = new Set(["builtins.object", "torch.Tensor", "torch.nn.parameter.Parameter"]);

/** Older and newer names of modules. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ["__builtin__", "builtins"],
  ["copy_reg", "copyreg"],
  ["numpy._core.multiarray", "numpy.core.multiarray"],
]);

const TORCH_MODULES: ReadonlySet<string> = new Set(["torch", "torch.cuda", "torch.storage"]);

/**
 * What a name in a pickle stands for: an element type, or a name that may be called.
 *
 * @throws what `fail` throws, for any name but those of tensors and containers
 */
export function pickleGlobal(module: PickleValue, name: PickleValue, fail: PickleFail): PickleValue {
  if (typeof module !== "string" || typeof name !== "string")
    return fail(
      "a pickle's globals must have a module and a name",
      describePickle({ kind: "tuple", items: [module, name] }),
    );
  const full = `${MODULES.get(module) ?? module}.${name}`;
  if (CALLS.has(full) || NAMED.has(full)) return { kind: "global", name: full };
  if (TORCH_MODULES.has(module) && name.endsWith("Storage")) {
    if (STORAGE_CLASSES.has(name)) return { kind: "global", name };
    return fail("tensors must be of a real or integer type", quote(full), "convert them in Python before saving");
  }
  if (module === "torch" && (TORCH_DTYPES.has(name) || OTHER_TORCH_DTYPES.has(name))) return { kind: "dtype", name };
  return fail("a checkpoint must hold tensors and containers only", `the Python object ${quote(full)}`, REFUSED);
}

/** @throws what `fail` throws when it is not a name that may be called, or not with these arguments */
export function callGlobal({ name }: PickleGlobal, args: readonly PickleValue[], context: CallContext): PickleValue {
  const call = CALLS.get(name);
  if (call === undefined)
    return context.fail("a pickle must call what makes tensors and containers", quote(name), REFUSED);
  return call(args, context);
}

/**
 * What follows the creation of an object: the fields of a record, the byte order of a numpy type. Attributes of an OrderedDict
 * (`_metadata`) hold no values and are dropped.
 */
export function buildState(target: PickleValue, state: PickleValue, { fail, charge }: CallContext): void {
  const kind = isNode(target) ? target.kind : undefined;
  if (isNode(target) && isNode(state)) {
    if (target.kind === "dict" && state.kind === "dict") return;
    if (target.kind === "record" && state.kind === "dict") {
      charge(state.items.length);
      for (const item of state.items) target.items.push(item);
      return;
    }
    if (target.kind === "numpy" && state.kind === "tuple") return void (target.bigEndian = state.items[1] === ">");
  }
  fail(`a pickle must give ${kind ?? "a plain value"} the state that Python gives it`, describePickle(state), REFUSED);
}
