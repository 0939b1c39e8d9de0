import type { Builders, Started } from "../contender.ts";
import type { PeerModules } from "../peer-modules.ts";
import { graphs, type OrtGraph } from "./graphs.ts";
import { type OnnxGraph, onnxModel } from "./onnx-model.ts";

/** The part of onnxruntime-node 1.30 that is used here: it is installed apart from the workspace, and its types with it. */
interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtSession>;
  };
}
interface OrtSession {
  run(inputs: object): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
  release(): Promise<void>;
}

export type OrtProvider = "webgpu" | "cpu";

const sessionOptions = (provider: OrtProvider): object => ({
  executionProviders: [provider],
  logSeverityLevel: 3,
  // constants are what is worked on here: folded, there would be nothing left to run
  extra: { optimization: { disable_specified_optimizers: "ConstantFolding" } },
});

/**
 * The graph with the first element of its result alone going home: `run` copies to the host what it gives, and a tensor of megabytes would be
 * timed with the op.
 */
const cut = ({ nodes, initializers, output }: OnnxGraph): OnnxGraph => ({
  nodes: [
    ...nodes,
    { op: "Reshape", inputs: [output, "flat"], output: "row" },
    { op: "Slice", inputs: ["row", "begin", "end"], output: "first" },
  ],
  initializers: [
    ...initializers,
    { name: "flat", shape: [1], values: [-1] },
    { name: "begin", shape: [1], values: [0] },
    { name: "end", shape: [1], values: [1] },
  ],
  output: "first",
});

/** onnxruntime-node on one of its execution providers. A run returns when the result is on the host. */
export async function startOrt(modules: PeerModules, provider: OrtProvider): Promise<Started> {
  const ort = (await modules.loadNative()) as Ort; // as above
  const open = (graph: OnnxGraph): Promise<OrtSession> =>
    ort.InferenceSession.create(onnxModel(graph), sessionOptions(provider));
  const build = async (graph: OrtGraph): ReturnType<NonNullable<Builders["matmul"]>> => {
    const session = await open(cut(graph));
    return {
      start: async () => {
        await session.run({});
      },
      finish: () => Promise.resolve(),
      answer: async () => {
        const whole = await open(graph);
        const data = (await whole.run({}))[graph.output]?.data ?? new Float32Array(0);
        await whole.release();
        return graph.layout ? graph.layout(data) : data;
      },
    };
  };
  // the table's keys are kinds, and each graph takes its kind's spec and inputs
  const builders = Object.fromEntries(
    Object.entries(graphs).map(([kind, graph]) => [
      kind,
      (...args: never[]) => build((graph as (...given: never[]) => OrtGraph)(...args)),
    ]),
  ) as Builders;
  return { version: modules.versions.ort, builders };
}
