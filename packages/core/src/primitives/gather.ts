import { isPacked, wideType } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { isContiguous } from "../base/view.ts";
import { input, output } from "../kernels/kernel.ts";
import { packedAccess } from "../kernels/snippets/packed-access.ts";
import { Node } from "../graph/node.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { argsortOp } from "./argsort.ts";
import { nextOpId, type KernelOp, type MakeTensor } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

const contiguousOnly: KernelOp["accepts"] = (view) => isContiguous(view) && view.offset === 0;

/** Up to so many ids each row looks at all of them; more are sorted first. */
const FEW_IDS = 256;

/** Adds rows [outer, m, width] where their ids [outer, m] say: [outer, rows, width]. */
export function scatterRows(values: Tensor, ids: Tensor, rows: number, make: MakeTensor): Tensor {
  const [outer = 1, , width = 1] = values.shape;
  const inputs = [values.node, ids.node];
  if ((ids.shape[1] ?? 0) > FEW_IDS) inputs.push(new Node(argsortOp, [ids.node], [0], ids.shape, "i32"));
  return make(new Node(scatterAddOp, inputs, [rows], [outer, rows, width], values.dtype));
}

/**
 * Rows of tables: y[o, i, :] = table[o, ids[o, i], :]. Ids outside the table read 0.
 * Inputs: table [outer, rows, width], ids i32 [outer, m].
 */
export const gatherOp: KernelOp = {
  id: nextOpId(),
  name: "gather",
  kind: "kernel",
  outputs: ([table, ids]) => [
    { shape: [...(ids?.shape ?? []), table?.shape[2] ?? 0], dtype: wideType(table?.dtype ?? "f32") },
  ],
  packed: [0],
  accepts: (view, index) => isContiguous(view) && (index === 0 || view.offset === 0),
  program: ([table, ids]) => {
    const [, rows = 0, width = 0] = table?.shape ?? [];
    const access = table && isPacked(table.dtype) ? packedAccess[table.dtype] : null;
    const element = access ? `bitcast<u32>(${access.loadOne((word) => `table[${word}]`, "at")})` : "table[at]";
    return {
      launches: [
        simpleLaunch({
          label: "gather",
          bindings: [
            { name: "table", type: "u32", binding: input(0) },
            { name: "ids", type: "i32", binding: input(1) },
            { name: "y", type: "u32", binding: output(0) },
          ],
          uniforms: { width, rows, length: ids?.shape[1] ?? 0, start: table?.offset ?? 0 },
          count: width * sizeOf(ids?.shape ?? []),
          functions: access?.functions ?? "",
          body: /* wgsl */ `let i = g / width;
    let id = u32(ids[i]);
    let row = (i / length) * rows + min(id, rows - 1u);
    let at = start + row * width + g - i * width;
    y[g] = select(0u, ${element}, id < rows);`,
        }),
      ],
      scratch: [],
    };
  },
  vjp: (dy, [table, ids], _, __, make) => (table && ids ? [scatterRows(dy, ids, table.shape[1] ?? 0, make), null] : []),
};

/**
 * Adds rows where their ids say: table[o, r, :] = Σ of dy[o, i, :] over ids[o, i] = r, in the order of i. attrs: rows.
 * Inputs: dy [outer, m, width], ids i32 [outer, m], and optionally the order that sorts the ids.
 */
export const scatterAddOp: KernelOp = {
  id: nextOpId(),
  name: "scatterAdd",
  kind: "kernel",
  outputs: ([dy], [rows = 0]) => [{ shape: [dy?.shape[0] ?? 0, rows, dy?.shape[2] ?? 0], dtype: "f32" }],
  accepts: contiguousOnly,
  program: ([dy, , order], [rows = 0]) => {
    const [outer = 0, length = 0, width = 0] = dy?.shape ?? [];
    const sorted = order !== undefined;
    return {
      launches: [
        simpleLaunch({
          label: sorted ? "scatterAdd sorted" : "scatterAdd",
          bindings: [
            { name: "dy", type: "f32", binding: input(0) },
            { name: "ids", type: "i32", binding: input(1) },
            ...(sorted ? [{ name: "order", type: "i32", binding: input(2) }] : []),
            { name: "table", type: "f32", binding: output(0) },
          ],
          uniforms: { width, rows, length },
          count: outer * rows * width,
          body: /* wgsl */ `let line = g / width;
    let column = g - line * width;
    let first = (line / rows) * length;
    let row = i32(line % rows);
    var sum = 0.0;
    ${sorted ? SUM_SORTED : SUM_ALL}
    table[g] = sum;`,
        }),
      ],
      scratch: [],
    };
  },
  vjp: (dy, [, ids], _, __, make) => {
    if (!ids) return [];
    return [make(new Node(gatherOp, [dy.node, ids.node], [], [...ids.shape, dy.shape[2] ?? 0], "f32"))];
  },
};

const SUM_ALL = /* wgsl */ `for (var i = first; i < first + length; i++) {
      if (ids[i] == row) { sum += dy[i * width + column]; }
    }`;
const SUM_SORTED = /* wgsl */ `var low = 0u;
    var high = length;
    while (low < high) {
      let middle = (low + high) / 2u;
      if (ids[first + u32(order[first + middle])] < row) { low = middle + 1u; } else { high = middle; }
    }
    for (; low < length; low++) {
      let i = first + u32(order[first + low]);
      if (ids[i] != row) { break; }
      sum += dy[i * width + column];
    }`;

/**
 * Which element writes each row: the last i with ids[o, i] = r, or −1. attrs: rows. Input: ids i32 [outer, m].
 */
export const lastWriterOp: KernelOp = {
  id: nextOpId(),
  name: "lastWriter",
  kind: "kernel",
  outputs: ([ids], [rows = 0]) => [{ shape: [ids?.shape[0] ?? 0, rows], dtype: "i32" }],
  accepts: contiguousOnly,
  program: ([ids], [rows = 0]) => {
    const [outer = 0, length = 0] = ids?.shape ?? [];
    return {
      launches: [
        simpleLaunch({
          label: "lastWriter",
          bindings: [
            { name: "ids", type: "i32", binding: input(0) },
            { name: "writer", type: "i32", binding: output(0) },
          ],
          uniforms: { rows, length },
          count: outer * rows,
          body: /* wgsl */ `let first = (g / rows) * length;
    let row = i32(g % rows);
    var found = -1;
    for (var i = 0u; i < length; i++) { if (ids[first + i] == row) { found = i32(i); } }
    writer[g] = found;`,
        }),
      ],
      scratch: [],
    };
  },
  vjp: () => [null],
};
