import { sizeOf } from "../base/shape.ts";
import { isContiguous } from "../base/view.ts";
import { input, output } from "../kernels/kernel.ts";
import { Node } from "../graph/node.ts";
import { nextOpId, type KernelOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

const contiguousOnly: KernelOp["accepts"] = (view) => isContiguous(view) && view.offset === 0;

/** Rows of a table: y[i, …] = table[ids[i], …]. Inputs: table, ids (i32). Ids outside the table read 0. */
export const gatherOp: KernelOp = {
  id: nextOpId(),
  name: "gather",
  kind: "kernel",
  outputs: ([table, ids]) => [
    { shape: [...(ids?.shape ?? []), ...(table?.shape.slice(1) ?? [])], dtype: table?.dtype ?? "f32" },
  ],
  accepts: contiguousOnly,
  program: ([table, ids]) => {
    const width = sizeOf(table?.shape.slice(1) ?? []);
    return {
      launches: [
        simpleLaunch({
          label: "gather",
          bindings: [
            { name: "table", type: "u32", binding: input(0) },
            { name: "ids", type: "i32", binding: input(1) },
            { name: "y", type: "u32", binding: output(0) },
          ],
          uniforms: { width, rows: table?.shape[0] ?? 0 },
          count: width * sizeOf(ids?.shape ?? []),
          body: `let i = g / width; let id = u32(ids[i]); y[g] = select(0u, table[min(id, rows - 1u) * width + g - i * width], id < rows);`,
        }),
      ],
      scratch: [],
    };
  },
  vjp: (dy, [table, ids], _, __, make) => {
    if (!table || !ids) return [];
    const rows = table.shape[0] ?? 0;
    const shape = [rows, ...table.shape.slice(1)];
    return [make(new Node(scatterAddOp, [dy.node, ids.node], [rows, ids.ndim], shape, "f32")), null];
  },
};

/** Adds rows where their ids say: table[r] = Σ of dy[i] over ids[i] = r, in order of i. attrs: rows, rank of ids. Inputs: dy, ids. */
export const scatterAddOp: KernelOp = {
  id: nextOpId(),
  name: "scatterAdd",
  kind: "kernel",
  outputs: ([dy], [rows = 0, rank = 1]) => [{ shape: [rows, ...(dy?.shape.slice(rank) ?? [])], dtype: "f32" }],
  accepts: contiguousOnly,
  program: ([dy, ids], [rows = 0, rank = 1]) => {
    const width = sizeOf(dy?.shape.slice(rank) ?? []);
    return {
      launches: [
        simpleLaunch({
          label: "scatterAdd",
          bindings: [
            { name: "dy", type: "f32", binding: input(0) },
            { name: "ids", type: "i32", binding: input(1) },
            { name: "table", type: "f32", binding: output(0) },
          ],
          uniforms: { width, length: sizeOf(ids?.shape ?? []) },
          count: rows * width,
          body: /* wgsl */ `let row = i32(g / width); let column = g % width;
    var sum = 0.0;
    for (var i = 0u; i < length; i++) { if (ids[i] == row) { sum += dy[i * width + column]; } }
    table[g] = sum;`,
        }),
      ],
      scratch: [],
    };
  },
  vjp: (dy, [, ids], _, __, make) => {
    if (!ids) return [];
    return [make(new Node(gatherOp, [dy.node, ids.node], [], [...ids.shape, ...dy.shape.slice(1)], "f32")), null];
  },
};
