import { WORD_BYTES, storageType, type DType } from "../base/dtype.ts";
import { isContiguous } from "../base/view.ts";
import { input, output, scratch, type Launch } from "../kernels/kernel.ts";
import { nextOpId, type KernelOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

/** Rows up to so long are ranked by counting: one dispatch of n² comparisons. Longer ones go through a bitonic network. */
const COUNTED = 512;

/**
 * A word whose unsigned order is the value's. NaN is above all numbers, and −0 equals 0.
 */
function keyOf(value: string, dtype: DType): string {
  if (dtype === "f32") return `float_key(${value})`;
  return dtype === "i32" ? `(bitcast<u32>(${value}) ^ 0x80000000u)` : value;
}
const FLOAT_KEY = /* wgsl */ `
fn float_key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}
`;

/**
 * Positions that sort each row; equal values keep their order. attrs: 1 for descending. Input: x [outer, n] of any dtype.
 */
export const argsortOp: KernelOp = {
  id: nextOpId(),
  name: "argsort",
  kind: "kernel",
  outputs: ([x]) => [{ shape: x?.shape ?? [], dtype: "i32" }],
  accepts: (view) => isContiguous(view) && view.offset === 0,
  program: ([x], [descending = 0]) => {
    const [outer = 0, n = 0] = x?.shape ?? [];
    const dtype = x?.dtype ?? "f32";
    const functions = dtype === "f32" ? FLOAT_KEY : "";
    const key = (value: string): string => `${descending ? "~" : ""}${keyOf(value, dtype)}`;
    const source = { name: "x", type: storageType(dtype), binding: input(0) };
    if (n <= COUNTED) {
      const count: Launch = simpleLaunch({
        label: "argsort by counting",
        bindings: [source, { name: "order", type: "i32", binding: output(0) }],
        uniforms: { n },
        count: outer * n,
        functions,
        body: /* wgsl */ `let first = g - g % n;
    let mine = ${key("x[g]")};
    var rank = 0u;
    for (var i = first; i < first + n; i++) {
      let other = ${key("x[i]")};
      rank += select(0u, 1u, other < mine || (other == mine && i < g));
    }
    order[first + rank] = i32(g - first);`,
      });
      return { launches: [count], scratch: [] };
    }
    const padded = 2 ** Math.ceil(Math.log2(n));
    const launches: Launch[] = [
      simpleLaunch({
        label: "argsort keys",
        bindings: [
          source,
          { name: "keys", type: "u32", binding: scratch(0, "read_write") },
          { name: "places", type: "u32", binding: scratch(1, "read_write") },
        ],
        uniforms: { n, padded },
        count: outer * padded,
        functions,
        // what pads a row comes after its last element, whatever the keys: its place is larger
        body: /* wgsl */ `let row = g / padded;
    let i = g - row * padded;
    keys[g] = 0xffffffffu;
    if (i < n) { keys[g] = ${key("x[row * n + i]")}; }
    places[g] = i;`,
      }),
    ];
    for (let block = 2; block <= padded; block *= 2)
      for (let distance = block / 2; distance >= 1; distance /= 2)
        launches.push(
          simpleLaunch({
            label: "argsort exchange",
            bindings: [
              { name: "keys", type: "u32", binding: scratch(0, "read_write") },
              { name: "places", type: "u32", binding: scratch(1, "read_write") },
            ],
            uniforms: { distance, block, padded },
            count: (outer * padded) / 2,
            body: /* wgsl */ `let low = (g / distance) * 2u * distance + g % distance;
    let high = low + distance;
    let rising = ((low % padded) & block) == 0u;
    let a = keys[low]; let b = keys[high];
    let i = places[low]; let j = places[high];
    let after = a > b || (a == b && i > j);
    if (after == rising) { keys[low] = b; keys[high] = a; places[low] = j; places[high] = i; }`,
          }),
        );
    launches.push(
      simpleLaunch({
        label: "argsort places",
        bindings: [
          { name: "places", type: "u32", binding: scratch(1, "read") },
          { name: "order", type: "i32", binding: output(0) },
        ],
        uniforms: { n, padded },
        count: outer * n,
        body: "let row = g / n; order[g] = i32(places[row * padded + g - row * n]);",
      }),
    );
    const bytes = outer * padded * WORD_BYTES;
    return { launches, scratch: [bytes, bytes] };
  },
  separable: () => [{ inputs: [0], outputs: [0] }],
  vjp: () => [null],
};
