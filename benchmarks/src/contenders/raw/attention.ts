import type { AttentionInputs, AttentionSpec } from "../../ops/attention.ts";
import type { Work } from "../contender.ts";
import { flatIndex, grid, type RawGpu, storage } from "./raw-gpu.ts";

const times = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join(" ");

/** One query a lane, keys one after another, the softmax kept running. @see Dao et al. 2022 */
export function rawAttention(raw: RawGpu, spec: AttentionSpec, inputs: AttentionInputs): Work {
  const { heads, tokens, headDim } = spec;
  const quads = headDim / 4;
  const queries = heads * tokens;
  const lanes = 32;
  const wgsl = `${storage(["q", "vec4f"], ["k", "vec4f"], ["v", "vec4f"], ["y", "vec4f"])}
${flatIndex(lanes)}
  let query = group * ${lanes}u + lane;
  if (query >= ${queries}u) { return; }
  let head = query / ${tokens}u * ${tokens * quads}u;
  ${times(quads, (d) => `let q${d} = q[query * ${quads}u + ${d}u] * ${1 / Math.sqrt(headDim)}; var y${d} = vec4f();`)}
  var peak = -3e38;
  var total = 0.0;
  for (var j = 0u; j < ${tokens}u; j++) {
    let at = head + j * ${quads}u;
    let score = ${Array.from({ length: quads }, (_, d) => `dot(q${d}, k[at + ${d}u])`).join(" + ")};
    let top = max(peak, score);
    let keep = exp(peak - top);
    let weight = exp(score - top);
    peak = top;
    total = total * keep + weight;
    ${times(quads, (d) => `y${d} = y${d} * keep + v[at + ${d}u] * weight;`)}
  }
  ${times(quads, (d) => `y[query * ${quads}u + ${d}u] = y${d} / total;`)}
}`;
  const y = raw.buffer(4 * queries * headDim);
  const buffers = [raw.upload(inputs.q), raw.upload(inputs.k), raw.upload(inputs.v), y];
  return raw.work([{ wgsl, buffers, workgroups: grid(Math.ceil(queries / lanes)) }], () =>
    raw.read(y, queries * headDim),
  );
}
