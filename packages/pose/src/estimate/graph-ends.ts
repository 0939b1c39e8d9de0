import type { Tensor } from "@omni/core";
import { CheckpointError } from "@omni/core/checkpoint";
import type { GraphModel } from "../tfjs/graph-model.ts";

/** @throws CheckpointError when the graph has not one input */
export function onlyInput(graph: GraphModel): string {
  const [name, ...others] = graph.inputs;
  if (name !== undefined && others.length === 0) return name;
  throw new CheckpointError(
    `pose: the graph must have one input, got ${graph.inputs.length}; is it another network's?`,
  );
}

/** @throws CheckpointError when the graph has not one result */
export function onlyOutput(graph: GraphModel, results: Readonly<Record<string, Tensor>>): Tensor {
  const [result, ...others] = Object.values(results);
  if (result !== undefined && others.length === 0) return result;
  throw new CheckpointError(
    `pose: the graph must have one result, got ${graph.outputs.length}; is it another network's?`,
  );
}
