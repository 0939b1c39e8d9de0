import { NORM_EPS, type RowsInputs, type RowsSpec } from "../../ops/rows.ts";
import type { Work } from "../contender.ts";
import { flatIndex, grid, type RawGpu, storage } from "./raw-gpu.ts";

/** What is done to a row of `n` vec4s that starts at `start`; `add` and `most` reduce over the lanes. */
type Body = (row: {
  readonly each: (line: string) => string;
  readonly add: (x: string) => string;
  readonly most: (x: string) => string;
  readonly columns: number;
}) => string;

const softmax: Body = ({ each, add, most }) => `
  var top = vec4f(-3e38);
  ${each("top = max(top, x[start + i]);")}
  let peak = ${most("max(max(top.x, top.y), max(top.z, top.w))")};
  var total = vec4f();
  ${each("total += exp(x[start + i] - peak);")}
  let scale = 1.0 / ${add("total.x + total.y + total.z + total.w")};
  ${each("y[start + i] = exp(x[start + i] - peak) * scale;")}`;

const layerNorm: Body = ({ each, add, columns }) => `
  var total = vec4f();
  ${each("total += x[start + i];")}
  let mean = ${add("total.x + total.y + total.z + total.w")} / ${columns}.0;
  var squares = 0.0;
  ${each("let d = x[start + i] - mean; squares += dot(d, d);")}
  let scale = inverseSqrt(${add("squares")} / ${columns}.0 + ${NORM_EPS});
  ${each("y[start + i] = (x[start + i] - mean) * scale * weight[i] + bias[i];")}`;

const rmsNorm: Body = ({ each, add, columns }) => `
  var squares = 0.0;
  ${each("let d = x[start + i]; squares += dot(d, d);")}
  let scale = inverseSqrt(${add("squares")} / ${columns}.0 + ${NORM_EPS});
  ${each("y[start + i] = x[start + i] * scale * weight[i];")}`;

const bodies = { softmax, layerNorm, rmsNorm };

/** One subgroup a row. Columns must be a multiple of 4. */
export function rawRows(raw: RawGpu, body: keyof typeof bodies, { rows, columns }: RowsSpec, inputs: RowsInputs): Work {
  const { lanes } = raw;
  const parameters = { softmax: [], layerNorm: ["weight", "bias"], rmsNorm: ["weight"] } as const;
  const read = ["x", ...parameters[body]] as const;
  const wgsl = `${lanes === 1 ? "" : "enable subgroups;"}
${storage(...read.map((name) => [name, "vec4f"] as const), ["y", "vec4f"])}
${flatIndex(lanes)}
  if (group >= ${rows}u) { return; }
  let start = group * ${columns / 4}u;
  ${bodies[body]({
    each: (line) => `for (var i = lane; i < ${columns / 4}u; i += ${lanes}u) { ${line} }`,
    add: (x) => (lanes === 1 ? `(${x})` : `subgroupAdd(${x})`),
    most: (x) => (lanes === 1 ? `(${x})` : `subgroupMax(${x})`),
    columns,
  })}
}`;
  const y = raw.buffer(4 * rows * columns);
  const buffers = [...read.map((name) => raw.upload(inputs[name])), y];
  return raw.work([{ wgsl, buffers, workgroups: grid(rows) }], () => raw.read(y, rows * columns));
}
