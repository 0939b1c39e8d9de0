import type { DType, TypedArray } from "../base/dtype.ts";
import { OmniError } from "../base/errors.ts";
import { Node } from "../graph/node.ts";
import { Tensor } from "./tensor.ts";

const valueless = {
  kind: "host",
  get array(): TypedArray {
    throw new OmniError(
      "meta tensor: has a shape and no values, and cannot be computed with; load or create the real one",
    );
  },
} as const;

/**
 * A tensor with a shape and no values: what a network of any size is planned with. Whatever would need its values throws.
 *
 * ```ts
 * const { flops } = estimate([model.forward(metaTensor([1, 77], "i32"))], traits);
 * ```
 */
export function metaTensor(shape: readonly number[], dtype: DType = "f32"): Tensor {
  return new Tensor(new Node(null, [], [], [...shape], dtype, valueless));
}

interface Named {
  namedParameters(): Iterable<readonly [string, Tensor]>;
}

/**
 * Makes all tensors of a module that has not been realised meta tensors, in its place: it can be planned, and loaded, but not run.
 *
 * @param dtype of the floats; others keep theirs
 */
export function toMeta<M extends Named>(module: M, dtype: "f32" | "f16" | "bf16" = "f32"): M {
  for (const [, t] of module.namedParameters()) t.node = metaTensor(t.shape, t.dtype === "f32" ? dtype : t.dtype).node;
  return module;
}
