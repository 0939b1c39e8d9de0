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
