import { input, output, scratch, type DeviceTraits, type Launch, type Program } from "../kernels/kernel.ts";
import { simpleLaunch } from "../primitives/simple-kernel.ts";
import { matrixLaunch, NAN } from "./matrix-kernel.ts";

/** P·A = L·U in place, row by row with the largest pivot of each column; `swaps` holds the row that each step exchanged with its own. */
function luLaunch(count: number, n: number, traits: DeviceTraits): Launch {
  return matrixLaunch(
    {
      label: "lu",
      count,
      n,
      buffers: [
        { name: "a", binding: input(0) },
        { name: "lu", binding: scratch(0, "read_write") },
        { name: "swaps", binding: scratch(1, "read_write") },
      ],
      body: /* wgsl */ `for (var i = lane; i < n * n; i += LANES) { lu[at + i] = a[at + i]; }
  for (var k = 0u; k < n; k++) {
    storageBarrier();
    var row = k;
    var largest = abs(lu[at + k * n + k]);
    for (var i = k + 1u; i < n; i++) {
      let size = abs(lu[at + i * n + k]);
      if (size > largest) { largest = size; row = i; }
    }
    storageBarrier();
    if (lane == 0u) { swaps[m * n + k] = f32(row); }
    if (row != k) {
      for (var j = lane; j < n; j += LANES) {
        let upper = lu[at + k * n + j];
        lu[at + k * n + j] = lu[at + row * n + j];
        lu[at + row * n + j] = upper;
      }
    }
    storageBarrier();
    let pivot = lu[at + k * n + k];
    for (var i = k + 1u + lane; i < n; i += LANES) {
      // a column of zeros stays one
      let factor = select(lu[at + i * n + k] / pivot, 0.0, pivot == 0.0);
      lu[at + i * n + k] = factor;
      for (var j = k + 1u; j < n; j++) { lu[at + i * n + j] = fma(-factor, lu[at + k * n + j], lu[at + i * n + j]); }
    }
  }`,
    },
    traits,
  );
}

const LU = { name: "lu", type: "f32", binding: scratch(0, "read") };
const SWAPS = { name: "swaps", type: "f32", binding: scratch(1, "read") };
const scratchOf = (count: number, n: number): number[] => [count * n * n * 4, count * n * 4];

/** x of A·x = b; input 0 = A [count, n, n], 1 = b [count, n, k]. A column each invocation; NaN where a pivot is zero. */
export function solveProgram(count: number, n: number, k: number, traits: DeviceTraits): Program {
  const columns = simpleLaunch({
    label: "solve",
    bindings: [
      LU,
      SWAPS,
      { name: "b", type: "f32", binding: input(1) },
      { name: "x", type: "f32", binding: output(0) },
    ],
    uniforms: { n, k, columns: count * k },
    count: count * k,
    body: /* wgsl */ `let m = g / k;
    let at = m * n * n;
    let first = m * n * k + g % k;
    var regular = true;
    for (var i = 0u; i < n; i++) { x[first + i * k] = b[first + i * k]; }
    for (var i = 0u; i < n; i++) {
      let other = first + u32(swaps[m * n + i]) * k;
      let value = x[other];
      x[other] = x[first + i * k];
      x[first + i * k] = value;
    }
    for (var i = 0u; i < n; i++) {
      var sum = x[first + i * k];
      for (var j = 0u; j < i; j++) { sum = fma(-lu[at + i * n + j], x[first + j * k], sum); }
      x[first + i * k] = sum;
    }
    for (var left = n; left > 0u; left--) {
      let i = left - 1u;
      var sum = x[first + i * k];
      for (var j = left; j < n; j++) { sum = fma(-lu[at + i * n + j], x[first + j * k], sum); }
      let pivot = lu[at + i * n + i];
      regular = regular && pivot != 0.0;
      x[first + i * k] = sum / pivot;
    }
    if (!regular) { for (var i = 0u; i < n; i++) { x[first + i * k] = ${NAN.replace("u.count", "columns")}; } }`,
  });
  return { launches: [luLaunch(count, n, traits), columns], scratch: scratchOf(count, n) };
}

/** Sign, log |det| and det of input 0, [count, n, n]: output [count, 3]. */
export function determinantProgram(count: number, n: number, traits: DeviceTraits): Program {
  const products = simpleLaunch({
    label: "determinant",
    bindings: [LU, SWAPS, { name: "y", type: "f32", binding: output(0) }],
    uniforms: { n },
    count,
    body: /* wgsl */ `var sign_of = 1.0;
    var logs = 0.0;
    var product = 1.0;
    for (var i = 0u; i < n; i++) {
      let pivot = lu[g * n * n + i * n + i];
      let turn = select(-1.0, 1.0, swaps[g * n + i] == f32(i));
      sign_of *= sign(pivot) * turn;
      product *= pivot * turn;
      // −∞ at 0 on every adapter
      logs += select(log(abs(pivot)), bitcast<f32>(0xff800000u | (n & 0u)), pivot == 0.0);
    }
    y[3u * g] = sign_of;
    y[3u * g + 1u] = logs;
    y[3u * g + 2u] = product;`,
  });
  return { launches: [luLaunch(count, n, traits), products], scratch: scratchOf(count, n) };
}
