import { grad, realize, Tensor, tensor } from "@omni/core";
import { detValues, sizeOf } from "../det.ts";
import { TorchArgs } from "../torch-args.ts";
import { applyViews } from "../torch-views.ts";
import { SkippedCase, type CaseAnswer, type Computed, type LoadedCase } from "../types.ts";
import { torchOps } from "./torch-ops.ts";

/** A leaf with the values of an input before its view. */
function inputTensor(loaded: LoadedCase, index: number): Tensor {
  const input = loaded.inputs[index];
  if (!input) throw new Error(`input ${index} is missing`);
  const { shape, data } = loaded.inputValues(input);
  if (input.dtype === "bool") return tensor(Uint32Array.from(data), { shape, dtype: "bool" });
  return input.dtype === "i32" ? tensor(Int32Array.from(data), { shape }) : tensor(Float32Array.from(data), { shape });
}

async function computed(x: Tensor): Promise<Computed> {
  const data = await x.data();
  const dtype = x.dtype === "bool" ? "bool" : data instanceof Float32Array ? "f32" : "i32";
  return { shape: x.shape, dtype, data };
}

/** Cotangents of the outputs that take part in the backward pass. */
function seeds(loaded: LoadedCase): { output: number; seed: Tensor }[] {
  return loaded.outputs.flatMap(({ grad_output, grad_output_det, shape }, output) => {
    if (grad_output_det) return [{ output, seed: tensor(detValues(grad_output_det, sizeOf(shape)), { shape }) }];
    if (!grad_output) return [];
    return [{ output, seed: tensor(Float32Array.from(loaded.values(grad_output).data), { shape }) }];
  });
}

/** Runs one op forwards and, where gradients are stored, backwards; all of it in one plan. */
export async function runOp(loaded: LoadedCase): Promise<CaseAnswer> {
  if (loaded.op === "det") return runDet(loaded);
  const op = Object.hasOwn(torchOps, loaded.op) ? torchOps[loaded.op] : undefined;
  if (!op) throw new SkippedCase(`${loaded.op} is not implemented`);
  const bases = loaded.inputs.map((_, i) => inputTensor(loaded, i));
  const inputs = bases.map((base, i) => applyViews(base, loaded.inputs[i]?.view ?? []));
  const result = op(inputs, new TorchArgs(loaded.args));
  const outputs = result instanceof Tensor ? [result] : [...result];
  const wanted = loaded.grads ?? [];
  const wrt = wanted.map(({ input }) => {
    const index = typeof input === "string" ? loaded.inputs.findIndex((i) => i.name === input) : (input ?? 0);
    const base = bases[index];
    if (!base) throw new Error(`gradient of input ${input}, which is not there`);
    return base;
  });
  let gradients: Tensor[] = [];
  if (wrt.length > 0) {
    const losses = seeds(loaded).map(({ output, seed }) => {
      const y = outputs[output];
      if (!y) throw new Error(`output ${output} is missing`);
      return y.mul(seed).sum();
    });
    const [first, ...rest] = losses;
    if (!first) throw new Error("gradients without a cotangent");
    gradients = grad(
      rest.reduce((a, b) => a.add(b), first),
      wrt,
    );
  }
  await realize([...outputs, ...gradients]);
  return { outputs: await Promise.all(outputs.map(computed)), grads: await Promise.all(gradients.map(computed)) };
}

/** The generator of large inputs itself, checked bit for bit. */
function runDet(loaded: LoadedCase): Promise<CaseAnswer> {
  const args = new TorchArgs(loaded.args);
  const det = { name: args.text("name"), seed: args.number("seed"), lo: args.number("lo"), hi: args.number("hi") };
  const all = detValues(det, sizeOf(args.numbers("shape")));
  const outputs = loaded.outputs.map(({ slice_flat, shape }): Computed => {
    const [start, end] = slice_flat ?? [0, all.length];
    return { shape, dtype: "f32", data: all.subarray(start, end) };
  });
  return Promise.resolve({ outputs });
}
