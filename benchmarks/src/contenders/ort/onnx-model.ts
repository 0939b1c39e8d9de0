import { type Field, floatField, message } from "./protobuf.ts";

/** Values that travel inside the model and so lie on the device. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | readonly number[];
}

export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Of operators outside the standard. */
  readonly domain?: "com.microsoft";
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  /** Name of the result. */
  readonly output: string;
}

const FLOAT = 1;
const INT64 = 7;
const OPSET = 21;
const IR_VERSION = 10;

/** TensorProto: f32 for a Float32Array, i64 for a list of whole numbers. */
function tensorProto({ name, shape, values }: Initializer): Uint8Array {
  const raw =
    values instanceof Float32Array
      ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      : new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  const dims = shape.map((n): Field => [1, n]);
  return message(...dims, [2, values instanceof Float32Array ? FLOAT : INT64], [8, name], [9, raw]);
}

/** AttributeProto. */
function attributeProto(name: string, value: Attribute): Uint8Array {
  const TYPE = { float: 1, int: 2, string: 3, ints: 7 };
  if (typeof value === "number") return message([1, name], [3, value], [20, TYPE.int]);
  if (typeof value === "string") return message([1, name], [4, value], [20, TYPE.string]);
  if ("float" in value) return joined(message([1, name], [20, TYPE.float]), floatField(2, value.float));
  return message([1, name], ...value.map((n): Field => [8, n]), [20, TYPE.ints]);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** NodeProto. */
function nodeProto({ op, inputs, output, attributes = {}, domain }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((name): Field => [1, name]),
    [2, output],
    [4, op],
    ...Object.entries(attributes).map(([name, value]): Field => [5, attributeProto(name, value)]),
    ...(domain ? [[7, domain] as const] : []),
  );
}

/**
 * A model without inputs: what it works on are its initializers.
 *
 * @see onnx.proto of the ONNX project
 */
export function onnxModel({ nodes, initializers, output }: OnnxGraph): Uint8Array {
  const floatType = message([1, message([1, FLOAT])]);
  const graph = message(
    ...nodes.map((node): Field => [1, nodeProto(node)]),
    [2, "bench"],
    ...initializers.map((initializer): Field => [5, tensorProto(initializer)]),
    [12, message([1, output], [2, floatType])],
  );
  const opset = (domain: string, version: number): Field => [8, message([1, domain], [2, version])];
  return message([1, IR_VERSION], [7, graph], opset("", OPSET), opset("com.microsoft", 1));
}
