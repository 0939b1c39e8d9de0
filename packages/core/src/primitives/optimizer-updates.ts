import { sizeOf } from "../base/shape.ts";
import { input } from "../kernels/kernel.ts";
import { nextOpId, type UpdateOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

interface UpdateDefinition {
  readonly name: string;
  /** Tensors of one shape that are written in place: the op's first inputs. */
  readonly writes: readonly string[];
  /** Tensors of that shape that are only read: the inputs after them. */
  readonly reads: readonly string[];
  /**
   * Numbers that the body knows by name: elements of `settings`, the input after those, as `packSettings` makes it. They are data, so that a new
   * learning rate compiles nothing.
   */
  readonly settings: readonly string[];
  /** Whether a last input of one element, `grad_scale`, follows. */
  readonly scaled: boolean;
  /** Runs for each element `g`, or four at once; `type` is f32 or vec4<f32>. */
  readonly body: (type: string) => string;
}

/** The settings of an update as its kernel reads them, four at a time: they cost as much as what is updated when read one by one. */
export function packSettings(numbers: readonly number[]): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(4 * Math.ceil(numbers.length / 4));
  packed.set(numbers);
  return packed;
}

/** An elementwise in-place update with its numbers in a small tensor. */
function updateOp({ name, writes, reads, settings, scaled, body }: UpdateDefinition): UpdateOp {
  const tensors = [...writes, ...reads];
  return {
    id: nextOpId(),
    name,
    kind: "update",
    targets: writes.map((_, i) => i),
    program: ([target]) => {
      const size = sizeOf(target?.shape ?? []);
      const lanes = size % 4 === 0 ? 4 : 1;
      const type = lanes === 4 ? "vec4<f32>" : "f32";
      const fours = Math.ceil(settings.length / 4);
      const vectors = [
        { name: "settings", type: "vec4<f32>", length: fours },
        ...(scaled ? [{ name: "grad_scale", type: "f32", length: 1 }] : []),
      ];
      return {
        launches: [
          simpleLaunch({
            label: name,
            bindings: [
              ...writes.map((w, i) => ({
                name: w,
                type,
                binding: { ...input(i), access: "read_write" as const },
              })),
              ...reads.map((r, i) => ({ name: r, type, binding: input(writes.length + i) })),
              ...vectors.map((v, i) => ({ ...v, binding: input(tensors.length + i) })),
            ],
            uniforms: {},
            count: size / lanes,
            body: `${Array.from({ length: fours }, (_, i) => `let settings_${i} = settings[${i}];`).join(" ")}
    ${settings.map((s, i) => `let ${s} = settings_${Math.floor(i / 4)}[${i % 4}];`).join(" ")}
    ${body(type)}`,
          }),
        ],
        scratch: [],
      };
    },
  };
}

/** `old` is read once: after a write in between, compilers would read it again. */
const GRADIENT = "let old = p[g]; let d = gradient[g] * (sign_of_gradient * grad_scale[0])";

/**
 * Stochastic gradient descent without momentum: p ← p − lr (d + λ p).
 *
 * Inputs: p, gradient, settings = [±1, lr, λ], gradient scale.
 */
export const sgdOp = updateOp({
  name: "sgd",
  writes: ["p"],
  reads: ["gradient"],
  settings: ["sign_of_gradient", "lr", "l2"],
  scaled: true,
  body: () => /* wgsl */ `${GRADIENT} + l2 * old;
    p[g] = old - lr * d;`,
});

/**
 * Momentum (Sutskever et al. 2013 for `look_ahead` = μ): b ← μ b + κ d,   p ← p − lr (fresh d + look_ahead b)
 *
 * plain: fresh 0, look_ahead 1; Nesterov: fresh 1, look_ahead μ. κ is 1 − dampening, and 1 at the first step.
 *
 * Inputs: p, b, gradient, settings = [±1, lr, λ, μ, κ, fresh, look_ahead], gradient scale.
 */
export const sgdMomentumOp = updateOp({
  name: "sgd momentum",
  writes: ["p", "b"],
  reads: ["gradient"],
  settings: ["sign_of_gradient", "lr", "l2", "momentum", "intake", "fresh", "look_ahead"],
  scaled: true,
  body: () => /* wgsl */ `${GRADIENT} + l2 * old;
    let b_new = momentum * b[g] + intake * d;
    b[g] = b_new;
    p[g] = old - lr * (fresh * d + look_ahead * b_new);`,
});

const ADAM_SETTINGS = [
  "sign_of_gradient",
  "rate",
  "l2",
  "decay",
  "beta1",
  "beta1_rest",
  "beta2",
  "beta2_rest",
  "v_correction",
  "eps",
];

const adamBody = (type: string, root: string, extra: string): string => /* wgsl */ `${GRADIENT} + l2 * old;
    let m_new = beta1 * m[g] + beta1_rest * d;
    let v_new = beta2 * v[g] + beta2_rest * d * d;
    m[g] = m_new;
    v[g] = v_new;
    ${extra}
    p[g] = old - decay * old - rate * (m_new / (sqrt(${root}) * v_correction + ${type}(eps)));`;

/**
 * Adam (Kingma & Ba 2015, algorithm 1), with decay in the gradient (`l2`) or decoupled from it (`decay`, Loshchilov & Hutter 2019):
 *
 * m ← β1 m + (1 − β1) d,   v ← β2 v + (1 − β2) d²,   p ← p − decay p − rate m / (√v · v_correction + ε)
 *
 * with rate = lr / (1 − β1^t) and v_correction = 1 / √(1 − β2^t).
 *
 * Inputs: p, m, v, gradient, settings = [±1, rate, l2, decay, β1, 1 − β1, β2, 1 − β2, v_correction, ε], gradient scale.
 */
export const adamOp = updateOp({
  name: "adam",
  writes: ["p", "m", "v"],
  reads: ["gradient"],
  settings: ADAM_SETTINGS,
  scaled: true,
  body: (type) => adamBody(type, "v_new", ""),
});

/** Adam with the largest v so far in the denominator (Reddi et al. 2018, AMSGrad). Inputs: p, m, v, largest v, then as Adam's. */
export const amsgradOp = updateOp({
  name: "amsgrad",
  writes: ["p", "m", "v", "largest"],
  reads: ["gradient"],
  settings: ADAM_SETTINGS,
  scaled: true,
  body: (type) => adamBody(type, "v_top", "let v_top = max(largest[g], v_new); largest[g] = v_top;"),
});

/**
 * Lion (Chen et al. 2023, algorithm 2): p ← p − decay p − lr sign(β1 m + (1 − β1) d),   m ← β2 m + (1 − β2) d
 *
 * Inputs: p, m, gradient, settings = [±1, lr, decay, β1, 1 − β1, β2, 1 − β2], gradient scale.
 */
export const lionOp = updateOp({
  name: "lion",
  writes: ["p", "m"],
  reads: ["gradient"],
  settings: ["sign_of_gradient", "lr", "decay", "beta1", "beta1_rest", "beta2", "beta2_rest"],
  scaled: true,
  body: () => /* wgsl */ `${GRADIENT};
    let m_old = m[g];
    p[g] = old - decay * old - lr * sign(beta1 * m_old + beta1_rest * d);
    m[g] = beta2 * m_old + beta2_rest * d;`,
});

/** p ← p − decay p − lr direction. Inputs: p, direction, settings = [lr, decay]. */
export const descendOp = updateOp({
  name: "descend",
  writes: ["p"],
  reads: ["direction"],
  settings: ["lr", "decay"],
  scaled: false,
  body: () => /* wgsl */ `let old = p[g]; p[g] = old - decay * old - lr * direction[g];`,
});

/**
 * total ← keep · total + weight · gradient; where `keep` is 0 the old total is not read into it, be it infinite or NaN.
 *
 * Inputs: total, gradient, settings = [keep, weight].
 */
export const accumulateOp = updateOp({
  name: "accumulate",
  writes: ["total"],
  reads: ["gradient"],
  settings: ["keep", "weight"],
  scaled: false,
  body: (type) => /* wgsl */ `let old = select(keep * total[g], ${type}(0.0), keep == 0.0);
    total[g] = old + weight * gradient[g];`,
});
