import { sizeOf } from "../base/shape.ts";
import { input } from "../kernels/kernel.ts";
import { nextOpId, type UpdateOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

const written = (index: number) => ({ ...input(index), access: "read_write" as const });

/** Inputs: target, value. */
export const assignOp: UpdateOp = {
  id: nextOpId(),
  name: "assign",
  kind: "update",
  targets: [0],
  program: ([target]) => ({
    launches: [
      simpleLaunch({
        label: "assign",
        bindings: [
          { name: "x", type: "u32", binding: written(0) },
          { name: "value", type: "u32", binding: input(1) },
        ],
        uniforms: {},
        count: sizeOf(target?.shape ?? []),
        body: "x[g] = value[g];",
      }),
    ],
    scratch: [],
  }),
};

/** x ← x + rate·(value − x). Inputs: target, value, rate (one element). */
export const lerpOp: UpdateOp = {
  id: nextOpId(),
  name: "lerp",
  kind: "update",
  targets: [0],
  program: ([target]) => ({
    launches: [
      simpleLaunch({
        label: "lerp",
        bindings: [
          { name: "x", type: "f32", binding: written(0) },
          { name: "value", type: "f32", binding: input(1) },
          { name: "rate", type: "f32", binding: input(2) },
        ],
        uniforms: {},
        count: sizeOf(target?.shape ?? []),
        body: "let old = x[g]; x[g] = old + rate[0] * (value[g] - old);",
      }),
    ],
    scratch: [],
  }),
};

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2). Inputs: parameter, first moment, second moment, gradient, and
 * hyper = [lr, β1, β2, ε, weight decay, 1 − β1^t, 1 − β2^t, gradient scale].
 */
export const adamwOp: UpdateOp = {
  id: nextOpId(),
  name: "adamw",
  kind: "update",
  targets: [0, 1, 2],
  program: ([parameter]) => {
    const size = sizeOf(parameter?.shape ?? []);
    const lanes = size % 4 === 0 ? 4 : 1;
    const type = lanes === 4 ? "vec4<f32>" : "f32";
    return {
      launches: [
        simpleLaunch({
          label: "adamw",
          bindings: [
            { name: "p", type, binding: written(0) },
            { name: "m", type, binding: written(1) },
            { name: "v", type, binding: written(2) },
            { name: "gradient", type, binding: input(3) },
            { name: "hyper", type: "f32", binding: input(4) },
          ],
          uniforms: {},
          count: size / lanes,
          body: /* wgsl */ `
    let grad = gradient[g] * hyper[7];
    let m_new = hyper[1] * m[g] + (1.0 - hyper[1]) * grad;
    let v_new = hyper[2] * v[g] + (1.0 - hyper[2]) * grad * grad;
    m[g] = m_new;
    v[g] = v_new;
    let step = (m_new / hyper[5]) / (sqrt(v_new / hyper[6]) + ${type}(hyper[3]));
    p[g] = p[g] * (1.0 - hyper[0] * hyper[4]) - hyper[0] * step;`,
        }),
      ],
      scratch: [],
    };
  },
};
