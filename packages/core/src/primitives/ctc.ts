import { isContiguous } from "../base/view.ts";
import { input, output, scratch } from "../kernels/kernel.ts";
import { Node } from "../graph/node.ts";
import { nextOpId, type KernelInput, type KernelOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

const contiguousOnly: KernelOp["accepts"] = (view) => isContiguous(view) && view.offset === 0;

/** log 0; WGSL has no infinities, and differences of them are NaN. */
const FUNCTIONS = /* wgsl */ `
const NEVER = -1e30f;
fn log_add(a: f32, b: f32) -> f32 {
  let top = max(a, b);
  if (top <= NEVER) { return NEVER; }
  return top + log(exp(a - top) + exp(b - top));
}
`;

interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly classes: number;
  readonly labels: number;
}
const sizesOf = ([logP, targets]: readonly KernelInput[]): Sizes => {
  const [steps = 0, batch = 0, classes = 0] = logP?.shape ?? [];
  return { steps, batch, classes, labels: targets?.shape[1] ?? 0 };
};

const BINDINGS = [
  { name: "log_p", type: "f32", binding: input(0) },
  { name: "targets", type: "i32", binding: input(1) },
  { name: "input_lengths", type: "i32", binding: input(2) },
  { name: "target_lengths", type: "i32", binding: input(3) },
] as const;

/** States of sequence g: blanks at even places, its labels between them. */
const STATES = /* wgsl */ `let width = 2u * labels + 1u;
    let count_s = 2u * u32(target_lengths[g]) + 1u;
    let length = u32(input_lengths[g]);`;
const labelOf = (s: string): string =>
  `select(blank, u32(targets[g * labels + min(${s} / 2u, labels - 1u)]), ${s} % 2u == 1u)`;
/** Whether state s may follow s − 2: a label that differs from the one before. */
const skips = (s: string): string => `(${s} % 2u == 1u && ${s} >= 2u && ${labelOf(s)} != ${labelOf(`(${s} - 2u)`)})`;

/**
 * Connectionist temporal classification (Graves et al. 2006). One invocation runs one sequence. attrs: the blank's class.
 * Inputs: log probabilities [T, B, C], targets i32 [B, L], lengths i32 [B] of inputs and targets. Outputs: negative log likelihoods [B], and
 * the forward variables α [B, T, 2L + 1].
 */
export const ctcOp: KernelOp = {
  id: nextOpId(),
  name: "ctc",
  kind: "kernel",
  outputs: (inputs) => {
    const { steps, batch, labels } = sizesOf(inputs);
    return [
      { shape: [batch], dtype: "f32" },
      { shape: [batch, steps, 2 * labels + 1], dtype: "f32" },
    ];
  },
  accepts: contiguousOnly,
  program: (inputs, [blank = 0]) => ({
    launches: [
      simpleLaunch({
        label: "ctc",
        bindings: [
          ...BINDINGS,
          { name: "loss", type: "f32", binding: output(0) },
          { name: "alpha", type: "f32", binding: output(1) },
        ],
        uniforms: { ...sizesOf(inputs), blank },
        count: sizesOf(inputs).batch,
        functions: FUNCTIONS,
        body: /* wgsl */ `${STATES}
    for (var t = 0u; t < length; t++) {
      let at = (g * steps + t) * width;
      for (var s = 0u; s < count_s; s++) {
        var reach = NEVER;
        if (t == 0u) { if (s < 2u) { reach = 0.0; } }
        else {
          let before = at - width;
          reach = alpha[before + s];
          if (s >= 1u) { reach = log_add(reach, alpha[before + s - 1u]); }
          if (${skips("s")}) { reach = log_add(reach, alpha[before + s - 2u]); }
        }
        alpha[at + s] = max(NEVER, reach + log_p[(t * batch + g) * classes + ${labelOf("s")}]);
      }
    }
    let last = (g * steps + length - 1u) * width + count_s - 1u;
    var total = NEVER;
    if (length > 0u) {
      total = alpha[last];
      if (count_s > 1u) { total = log_add(total, alpha[last - 1u]); }
    }
    loss[g] = select(-total, bitcast<f32>(0x7f800000u | (blank & 0u)), total <= 0.5 * NEVER);`,
      }),
    ],
    scratch: [],
  }),
  separable: () => [{ inputs: [1, 0, 0, 0], outputs: [0, 0] }],
  vjp: () => [],
  vjpMany: ([dLoss], inputs, outputs, attrs, make) => {
    const [logP, ...rest] = inputs;
    if (!dLoss || !logP) return inputs.map(() => null);
    const [loss, alpha] = outputs;
    const nodes = [logP, ...rest, ...(loss ? [loss] : []), ...(alpha ? [alpha] : []), dLoss].map((t) => t.node);
    const shape = logP.shape;
    return [make(new Node(ctcGradOp, nodes, attrs, shape, "f32")), null, null, null];
  },
};

/**
 * Gradient of the log probabilities: −Σ over states of a class of exp(α + β + loss) / p, from the backward variables β.
 * Inputs: those of `ctcOp`, its outputs, and the gradient of the losses. attrs: the blank's class.
 */
const ctcGradOp: KernelOp = {
  id: nextOpId(),
  name: "ctcGrad",
  kind: "kernel",
  outputs: ([logP]) => [{ shape: logP?.shape ?? [], dtype: "f32" }],
  accepts: contiguousOnly,
  program: (inputs, [blank = 0]) => {
    const sizes = sizesOf(inputs);
    const width = 2 * sizes.labels + 1;
    return {
      launches: [
        simpleLaunch({
          label: "ctc gradient",
          bindings: [
            ...BINDINGS.map((b, i) => ({ ...b, binding: input(i) })),
            { name: "loss", type: "f32", binding: input(4) },
            { name: "alpha", type: "f32", binding: input(5) },
            { name: "d_loss", type: "f32", binding: input(6) },
            // forward and backward variables side by side would be two more buffers than a stage has
            { name: "beta", type: "f32", binding: scratch(0, "read_write") },
          ],
          uniforms: { ...sizes, blank },
          count: sizes.batch,
          functions: FUNCTIONS,
          body: /* wgsl */ `${STATES}
    for (var left = length; left > 0u; left--) {
      let t = left - 1u;
      let at = (g * steps + t) * width;
      for (var s = 0u; s < count_s; s++) {
        var reach = NEVER;
        if (left == length) { if (s + 2u >= count_s) { reach = 0.0; } }
        else {
          let after = at + width;
          let p = ((t + 1u) * batch + g) * classes;
          reach = beta[after + s] + log_p[p + ${labelOf("s")}];
          if (s + 1u < count_s) { reach = log_add(reach, beta[after + s + 1u] + log_p[p + ${labelOf("(s + 1u)")}]); }
          if (s + 2u < count_s && ${skips("(s + 2u)")}) {
            reach = log_add(reach, beta[after + s + 2u] + log_p[p + ${labelOf("(s + 2u)")}]);
          }
        }
        beta[at + s] = max(NEVER, reach);
      }
    }
    // then each state's share of the likelihood, in place: exp(α + β) / P
    for (var t = 0u; t < steps; t++) {
      let at = (g * steps + t) * width;
      for (var s = 0u; s < width; s++) {
        let inside = t < length && s < count_s && loss[g] < 1e29;
        beta[at + s] = select(0.0, exp(min(0.0, alpha[at + s] + beta[at + s] + loss[g])) * d_loss[g], inside);
      }
    }`,
        }),
        simpleLaunch({
          label: "ctc classes",
          bindings: [
            { name: "targets", type: "i32", binding: input(1) },
            { name: "shares", type: "f32", binding: scratch(0, "read") },
            { name: "d_log_p", type: "f32", binding: output(0) },
          ],
          uniforms: { ...sizes, blank },
          count: sizes.steps * sizes.batch * sizes.classes,
          body: /* wgsl */ `let row = g / classes;
    let class_id = g - row * classes;
    let sequence = row % batch;
    let width = 2u * labels + 1u;
    let at = (sequence * steps + row / batch) * width;
    var sum = 0.0;
    if (class_id == blank) { for (var s = 0u; s < width; s += 2u) { sum += shares[at + s]; } }
    for (var s = 1u; s < width; s += 2u) {
      if (u32(targets[sequence * labels + s / 2u]) == class_id) { sum += shares[at + s]; }
    }
    d_log_p[g] = -sum;`,
        }),
      ],
      scratch: [sizes.batch * sizes.steps * width * 4],
    };
  },
  separable: () => [{ inputs: [1, 0, 0, 0, 0, 0, 0], outputs: [1] }],
  vjp: () => [],
};
