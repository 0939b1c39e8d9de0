import { describeNodes } from "../graph/describe.ts";
import { svgOfNodes } from "../graph/svg.ts";
import type { Tensor } from "./tensor.ts";

const nodesOf = (tensors: readonly Tensor[]): Tensor["node"][] => tensors.map((t) => t.node);

/** What has been recorded and not yet run, as text: one line an operation, inputs before users. */
export const describeGraph = (tensors: readonly Tensor[]): string => describeNodes(nodesOf(tensors));

/** The same as a picture (SVG): leaves at the top, results in bold at the bottom. */
export const graphSvg = (tensors: readonly Tensor[]): string => svgOfNodes(nodesOf(tensors));
