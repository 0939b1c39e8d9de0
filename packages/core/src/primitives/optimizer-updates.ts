import { updateOp } from "./update-op.ts";

/** `old` is read once: after a write in between, compilers would read it again. */
const takeGradient = (p: string, gradient: string): string =>
  `let old = ${p}; let d = ${gradient} * (sign_of_gradient * grad_scale[0])`;

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
  element: "f32",
  body: ({ p, gradient }) => /* wgsl */ `${takeGradient(p, gradient)} + l2 * old;
    ${p} = old - lr * d;`,
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
  element: "f32",
  body: ({ p, b, gradient }) => /* wgsl */ `${takeGradient(p, gradient)} + l2 * old;
    let b_new = momentum * ${b} + intake * d;
    ${b} = b_new;
    ${p} = old - lr * (fresh * d + look_ahead * b_new);`,
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

type AdamTensors = Readonly<Record<"p" | "m" | "v" | "gradient", string>>;

const adamBody = (
  at: AdamTensors,
  type: string,
  root: string,
  extra: string,
): string => /* wgsl */ `${takeGradient(at.p, at.gradient)} + l2 * old;
    let m_new = beta1 * ${at.m} + beta1_rest * d;
    let v_new = beta2 * ${at.v} + beta2_rest * d * d;
    ${at.m} = m_new;
    ${at.v} = v_new;
    ${extra}
    ${at.p} = old - decay * old - rate * (m_new / (sqrt(${root}) * v_correction + ${type}(eps)));`;

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
  element: "f32",
  body: (at, type) => adamBody(at, type, "v_new", ""),
});

/** Adam with the largest v so far in the denominator (Reddi et al. 2018, AMSGrad). Inputs: p, m, v, largest v, then as Adam's. */
export const amsgradOp = updateOp({
  name: "amsgrad",
  writes: ["p", "m", "v", "largest"],
  reads: ["gradient"],
  settings: ADAM_SETTINGS,
  scaled: true,
  element: "f32",
  body: (at, type) => adamBody(at, type, "v_top", `let v_top = max(${at.largest}, v_new); ${at.largest} = v_top;`),
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
  element: "f32",
  body: ({ p, m, gradient }) => /* wgsl */ `${takeGradient(p, gradient)};
    let m_old = ${m};
    ${p} = old - decay * old - lr * sign(beta1 * m_old + beta1_rest * d);
    ${m} = beta2 * m_old + beta2_rest * d;`,
});

/** p ← p − decay p − lr direction. Inputs: p, direction, settings = [lr, decay]. */
export const descendOp = updateOp({
  name: "descend",
  writes: ["p"],
  reads: ["direction"],
  settings: ["lr", "decay"],
  scaled: false,
  element: "f32",
  body: ({ p, direction }) => /* wgsl */ `let old = ${p}; ${p} = old - decay * old - lr * ${direction};`,
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
  element: "f32",
  body: ({ total, gradient }, type) => /* wgsl */ `let old = select(keep * ${total}, ${type}(0.0), keep == 0.0);
    ${total} = old + weight * ${gradient};`,
});
