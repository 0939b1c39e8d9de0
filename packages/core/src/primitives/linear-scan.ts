import { WORD_BYTES, type DType } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { isContiguous } from "../base/view.ts";
import { input, output, scratch, type Launch } from "../kernels/kernel.ts";
import { Node } from "../graph/node.ts";
import { nextOpId, type KernelOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

/** Steps that one invocation takes at least, where rows are too few to fill the machine. */
const SHORTEST = 32;

/** What the recurrence reads: both, only a (b = 0), or only b (a = 1). */
export const SCAN_BOTH = 0;
export const SCAN_PRODUCT = 1;
export const SCAN_SUM = 2;

/**
 * The recurrence h_t = a_t·h_{t−1} + b_t along the last axis, from h_{−1}: running sums (a = 1), running products (b = 0) and
 * first-order filters. A row is cut into stretches: each is run from 0 with the product of its a, then their ends are chained, then each is
 * run again from its true start. attrs: which inputs there are, h_{−1}. Inputs: a and b, a, or b, each [outer, n].
 */
export const linearScanOp: KernelOp = {
  id: nextOpId(),
  name: "linearScan",
  kind: "kernel",
  outputs: ([x]) => [{ shape: x?.shape ?? [], dtype: x?.dtype ?? "f32" }],
  accepts: (view) => isContiguous(view) && view.offset === 0,
  program: ([x], [reads = SCAN_BOTH, start = 0], traits) => {
    const [outer = 0, n = 0] = x?.shape ?? [];
    const dtype: DType = x?.dtype ?? "f32";
    const wanted = traits.software ? 64 : 8192;
    const splits = Math.max(1, Math.min(Math.ceil(wanted / Math.max(1, outer)), Math.floor(n / SHORTEST)));
    const stretch = Math.ceil(n / splits);
    const names = reads === SCAN_BOTH ? ["a", "b"] : reads === SCAN_PRODUCT ? ["a"] : ["b"];
    const sources = names.map((name, i) => ({ name, type: dtype, binding: input(i) }));
    const one = `${dtype}(1)`;
    const next = reads === SCAN_BOTH ? "a[i] * h + b[i]" : reads === SCAN_PRODUCT ? "a[i] * h" : "h + b[i]";
    const h0 = `${dtype}(${start})`;
    const range = /* wgsl */ `let row = g / splits;
    let first = row * n + (g - row * splits) * stretch;
    let last = min(row * n + n, first + stretch);`;
    const uniforms = { n, splits, stretch };
    const run: Launch = simpleLaunch({
      label: "scan",
      bindings: [
        ...sources,
        ...(splits > 1 ? [{ name: "starts", type: dtype, binding: scratch(0, "read") }] : []),
        { name: "y", type: dtype, binding: output(0) },
      ],
      uniforms,
      count: outer * splits,
      body: /* wgsl */ `${range}
    var h = ${splits > 1 ? "starts[g]" : h0};
    for (var i = first; i < last; i++) { h = ${next}; y[i] = h; }`,
    });
    if (splits === 1) return { launches: [run], scratch: [] };
    const ends: Launch = simpleLaunch({
      label: "scan ends",
      bindings: [
        ...sources,
        { name: "ends", type: dtype, binding: scratch(0, "read_write") },
        ...(reads === SCAN_SUM ? [] : [{ name: "products", type: dtype, binding: scratch(1, "read_write") }]),
      ],
      uniforms,
      count: outer * splits,
      body: /* wgsl */ `${range}
    var h = ${dtype}(0);
    var product = ${one};
    for (var i = first; i < last; i++) {
      ${reads === SCAN_PRODUCT ? "" : `h = ${next};`}
      ${reads === SCAN_SUM ? "" : "product *= a[i];"}
    }
    ends[g] = h;
    ${reads === SCAN_SUM ? "" : "products[g] = product;"}`,
    });
    const chain: Launch = simpleLaunch({
      label: "scan chain",
      bindings: [
        { name: "starts", type: dtype, binding: scratch(0, "read_write") },
        ...(reads === SCAN_SUM ? [] : [{ name: "products", type: dtype, binding: scratch(1, "read") }]),
      ],
      uniforms: { splits },
      count: outer,
      body: /* wgsl */ `var h = ${h0};
    for (var s = g * splits; s < (g + 1u) * splits; s++) {
      let end = starts[s];
      starts[s] = h;
      h = ${reads === SCAN_SUM ? "h" : "products[s] * h"} + end;
    }`,
    });
    const bytes = outer * splits * WORD_BYTES;
    return { launches: [ends, chain, run], scratch: reads === SCAN_SUM ? [bytes] : [bytes, bytes] };
  },
  separable: () => [{ inputs: [0, 0], outputs: [0] }],
  // with g_t = dy_t + a_{t+1}·g_{t+1}, the same recurrence backwards: db = g, da_t = g_t·h_{t−1}
  vjp: (dy, inputs, y, [reads = SCAN_BOTH, start = 0], make) => {
    const [first] = inputs;
    if (!first || sizeOf(y.shape) === 0) return inputs.map(() => null);
    const backwards = dy.flip(-1);
    const scan = (nodes: readonly Node[], kind: number): ReturnType<typeof make> =>
      make(new Node(linearScanOp, nodes, [kind, 0], y.shape, y.dtype)).flip(-1);
    if (reads === SCAN_SUM) return [scan([backwards.node], SCAN_SUM)];
    const n = y.shape[1] ?? 0;
    const factors = first
      .slice(1, 1)
      .pad([
        [0, 0],
        [0, 1],
      ])
      .flip(-1);
    const g = scan([factors.node, backwards.node], SCAN_BOTH);
    const before = y.slice(1, 0, n - 1).pad(
      [
        [0, 0],
        [1, 0],
      ],
      start,
    );
    return reads === SCAN_PRODUCT ? [g.mul(before)] : [g.mul(before), g];
  },
};
