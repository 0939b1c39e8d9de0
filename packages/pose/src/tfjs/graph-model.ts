import { ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { CheckpointError, openSource } from "@omni/core/checkpoint";
import type { ByteInput } from "@omni/core/checkpoint";
import { parseGraph } from "./graph-json.ts";
import type { GraphJson, GraphNode } from "./graph-json.ts";
import { graphOps } from "./graph-ops.ts";
import { readWeights } from "./weight-shards.ts";
import type { Weight } from "./weight-shards.ts";

/**
 * A TensorFlow.js graph model, run op by op on our tensors. Weights are widened when they are loaded: halves and
 * quantized bytes become f32.
 *
 * @see https://github.com/tensorflow/tfjs/tree/master/tfjs-converter
 */
export class GraphModel {
  readonly #graph: GraphJson;
  readonly #weights: ReadonlyMap<string, Weight>;
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** Names of the results. */
  readonly outputs: readonly string[];

  private constructor(graph: GraphJson, weights: ReadonlyMap<string, Weight>) {
    this.#graph = graph;
    this.#weights = weights;
    this.inputs = graph.nodes.flatMap(({ op, name }) => (op === "Placeholder" ? [name] : []));
    this.outputs = graph.outputs;
  }

  /**
   * Opens `model.json` and the weight files that it names.
   *
   * @param source a URL, or in Node a path
   * @throws CheckpointError when it cannot be read or has an op that is not known here
   */
  static async load(source: ByteInput): Promise<GraphModel> {
    const file = await openSource(source);
    try {
      const graph = parseGraph(file.name, new TextDecoder().decode(await file.read(0, file.size)));
      const unknown = new Set(graph.nodes.map(({ op }) => op).filter((op) => !isKnown(op)));
      if (unknown.size > 0)
        throw new CheckpointError(
          `${file.name}: has ops that cannot be run here: ${[...unknown].join(", ")}; known are ${[...graphOps.keys()].join(", ")}`,
        );
      const groups = await Promise.all(graph.groups.map((group) => readWeights(file, group)));
      const weights = new Map(groups.flatMap((group) => [...group]));
      for (const { op, name } of graph.nodes)
        if (op === "Const" && !weights.has(name))
          throw new CheckpointError(`${file.name}: the weights must hold ${name}; fetch model and weights again`);
      return new GraphModel(graph, weights);
    } finally {
      await file.close();
    }
  }

  /**
   * Records the graph over inputs; nothing is computed before the results are read.
   *
   * @param inputs a tensor for each name of `inputs`
   * @returns a tensor for each name of `outputs`
   * @throws ShapeError naming the node that does not fit
   */
  run(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const values = new Map<string, Tensor>(Object.entries(inputs));
    for (const [name, { value }] of this.#weights) values.set(name, value);
    for (const node of ordered(this.#graph.nodes)) {
      if (node.op === "Const") continue;
      if (node.op === "Placeholder") {
        if (!values.has(node.name))
          throw new ShapeError(
            `GraphModel: needs the inputs ${this.inputs.join(", ")}, got ${Object.keys(inputs).join(", ")}`,
          );
        continue;
      }
      for (const [i, value] of this.#compute(node, values).entries())
        values.set(i === 0 ? node.name : `${node.name}:${i}`, value);
    }
    return Object.fromEntries(this.outputs.map((name) => [name, found(values, name)]));
  }

  /** Gives back the weights' memory. */
  dispose(): void {
    for (const { value } of this.#weights.values()) value.dispose();
  }

  #compute({ name, op, inputs, attrs }: GraphNode, values: ReadonlyMap<string, Tensor>): readonly Tensor[] {
    const integers = (i: number): readonly number[] => {
      const constant = this.#weights.get(inputs[i] ?? "")?.integers;
      if (constant) return constant;
      throw new ShapeError(`input ${i} must be a constant of whole numbers, got ${inputs[i] ?? "none"}`);
    };
    try {
      const result = graphOps.get(op)?.({ inputs: inputs.map((input) => found(values, input)), attrs, integers });
      if (result === undefined) throw new ShapeError("is not known");
      return "shape" in result ? [result] : result;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ShapeError(`GraphModel: ${op} (${name}): ${why}`, { cause });
    }
  }
}

const isKnown = (op: string): boolean => op === "Const" || op === "Placeholder" || graphOps.has(op);

function found(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const value = values.get(name);
  if (value === undefined) throw new ShapeError(`GraphModel: no node gives ${name}`);
  return value;
}

/** Each node after those that it reads. */
function ordered(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const done = new Set<string>();
  const order: GraphNode[] = [];
  const stack = [...nodes].reverse();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const waiting = node.inputs.flatMap((input) => {
      const name = input.replace(/:\d+$/, "");
      const source = byName.get(name);
      return source === undefined || done.has(name) ? [] : [source];
    });
    if (!done.has(node.name) && waiting.length > 0) {
      if (stack.length > 4 * nodes.length ** 2) throw new ShapeError("GraphModel: the graph must have no cycle");
      stack.push(...waiting);
      continue;
    }
    stack.pop();
    if (!done.has(node.name)) order.push(node);
    done.add(node.name);
  }
  return order;
}
