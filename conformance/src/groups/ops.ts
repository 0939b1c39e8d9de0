import { realize, Tensor } from "@omni/core";
import { computed, gradients, inputTensor } from "../case-tensors.ts";
import { detValues, sizeOf } from "../det.ts";
import { TorchArgs } from "../torch-args.ts";
import { applyViews } from "../torch-views.ts";
import { SkippedCase, type CaseAnswer, type Computed, type LoadedCase } from "../types.ts";
import { torchOps } from "./torch-ops.ts";

/** Runs one op forwards and, where gradients are stored, backwards; all of it in one plan. */
export async function runOp(loaded: LoadedCase): Promise<CaseAnswer> {
  if (loaded.op === "det") return runDet(loaded);
  const op = Object.hasOwn(torchOps, loaded.op) ? torchOps[loaded.op] : undefined;
  if (!op) throw new SkippedCase(`${loaded.op} is not implemented`);
  const bases = loaded.inputs.map((input) => inputTensor(loaded, input));
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
  const output = (index: number): Tensor => {
    const y = outputs[index];
    if (!y) throw new Error(`output ${index} is missing`);
    return y;
  };
  const slopes = gradients(loaded, output, wrt);
  await realize([...outputs, ...slopes]);
  return { outputs: await Promise.all(outputs.map(computed)), grads: await Promise.all(slopes.map(computed)) };
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
