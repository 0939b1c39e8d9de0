import { CheckpointError } from "@omni/core/checkpoint";

/** One op of a graph. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Names of the outputs it reads: a node's, or a later output of it as `name:1`. */
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** How a weight lies in the shards. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly stored: StoredWeight;
}

/** Plain values, halves, or whole numbers q that stand for q · scale + min. */
export type StoredWeight =
  | { readonly kind: "plain" }
  | { readonly kind: "float16" }
  | { readonly kind: "uint8" | "uint16"; readonly scale: number; readonly min: number };

/** Weights that lie one after another in some files. */
export interface WeightGroup {
  /** File names beside the model's. */
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
}

/** A TensorFlow.js graph model: `model.json` without its weights' values. */
export interface GraphJson {
  readonly nodes: readonly GraphNode[];
  readonly groups: readonly WeightGroup[];
  /** Names of the nodes that results are read from. */
  readonly outputs: readonly string[];
}

const DTYPES = ["float32", "int32", "bool"] as const;

/**
 * Reads `model.json` of a TensorFlow.js graph model.
 *
 * @param name of the file, for messages
 * @throws CheckpointError when it is another kind of file
 */
export function parseGraph(name: string, text: string): GraphJson {
  const wrong = (rule: string, got: unknown): CheckpointError =>
    new CheckpointError(
      `${name}: ${rule}, got ${String(JSON.stringify(got)).slice(0, 60)}; give the model.json of a TensorFlow.js graph model`,
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong("must be JSON", text.slice(0, 20));
  }
  const { format, modelTopology, weightsManifest, signature } = record(json);
  if (format !== "graph-model") throw wrong('its format must be "graph-model"', format);
  const topology = record(modelTopology);
  if (!Array.isArray(topology.node) || !Array.isArray(weightsManifest))
    throw wrong("must have modelTopology.node and weightsManifest", Object.keys(record(json)));
  const nodes = topology.node.map((node: unknown): GraphNode => {
    const { name: at, op, input, attr } = record(node);
    if (typeof at !== "string" || typeof op !== "string") throw wrong("each node must have a name and an op", node);
    // an input that begins with ^ only orders ops
    const inputs = strings(input).filter((from) => !from.startsWith("^"));
    return { name: at, op, inputs: inputs.map((from) => from.replace(/:0$/, "")), attrs: record(attr) };
  });
  const groups = weightsManifest.map((group: unknown): WeightGroup => {
    const { paths, weights } = record(group);
    const files = strings(paths);
    if (files.length === 0 || files.some((file) => /[/\\]/.test(file)) || !Array.isArray(weights))
      throw wrong("weightsManifest must name files of the model's folder", group);
    return { paths: files, weights: weights.map((weight: unknown) => parseWeight(weight, wrong)) };
  });
  const signed = Object.values(record(record(signature).outputs)).map((output) => record(output).name);
  const named = strings(signed).map((output) => output.replace(/:0$/, ""));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map((input) => input.replace(/:\d+$/, ""))));
  const ends = nodes.flatMap(({ name: at, op }) => (read.has(at) || op === "Const" ? [] : [at]));
  return { nodes, groups, outputs: named.length > 0 ? named : ends };
}

function parseWeight(weight: unknown, wrong: (rule: string, got: unknown) => CheckpointError): WeightSpec {
  const { name, shape, dtype, quantization } = record(weight);
  const known = DTYPES.find((type) => type === dtype);
  const sides: unknown[] = Array.isArray(shape) ? shape : [null];
  const isSize = (n: unknown): n is number => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  if (typeof name !== "string" || known === undefined || !sides.every(isSize))
    throw wrong(`each weight must have a name, a shape and a dtype of ${DTYPES.join(", ")}`, weight);
  return { name, shape: sides, dtype: known, stored: parseQuantization(quantization, wrong) };
}

function parseQuantization(json: unknown, wrong: (rule: string, got: unknown) => CheckpointError): StoredWeight {
  if (json === undefined) return { kind: "plain" };
  const { dtype, scale, min } = record(json);
  if (dtype === "float16") return { kind: "float16" };
  if ((dtype === "uint8" || dtype === "uint16") && typeof scale === "number" && typeof min === "number")
    return { kind: dtype, scale, min };
  throw wrong("a weight must be quantized to float16, or to uint8 or uint16 with scale and min", json);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
