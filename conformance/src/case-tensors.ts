import { grad, type Tensor, tensor } from "@omni/core";
import { detValues, sizeOf } from "./det.ts";
import type { CaseInput, Computed, LoadedCase } from "./types.ts";

/** A leaf with the values of an input before its view. */
export function inputTensor(loaded: LoadedCase, input: CaseInput): Tensor {
  const { shape, data } = loaded.inputValues(input);
  if (input.dtype === "bool") return tensor(Uint32Array.from(data), { shape, dtype: "bool" });
  return input.dtype === "i32" ? tensor(Int32Array.from(data), { shape }) : tensor(Float32Array.from(data), { shape });
}

/** A tensor's values on the host. */
export async function computed(x: Tensor): Promise<Computed> {
  const data = await x.data();
  const dtype = x.dtype === "bool" ? "bool" : data instanceof Float32Array ? "f32" : "i32";
  return { shape: x.shape, dtype, data };
}

/** Σ ⟨output, cotangent⟩ over the outputs that take part in the backward pass. */
function seeded(loaded: LoadedCase, output: (index: number) => Tensor): Tensor {
  const terms = loaded.outputs.flatMap(({ grad_output, grad_output_det, shape }, index) => {
    if (!grad_output_det && !grad_output) return [];
    const seed = grad_output_det
      ? detValues(grad_output_det, sizeOf(shape))
      : Float32Array.from(loaded.values(grad_output ?? "").data);
    return [output(index).mul(tensor(seed, { shape })).sum()];
  });
  const [first, ...rest] = terms;
  if (!first) throw new Error("gradients without a cotangent");
  return rest.reduce((a, b) => a.add(b), first);
}

/** Gradients of the seeded outputs, in the order of `leaves`. */
export function gradients(
  loaded: LoadedCase,
  output: (index: number) => Tensor,
  leaves: readonly Tensor[],
): readonly Tensor[] {
  return leaves.length === 0 ? [] : grad(seeded(loaded, output), leaves);
}
