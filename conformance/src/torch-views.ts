import { padWith, unbind, type PadMode, type Tensor } from "@omni/core";
import { TorchArgs } from "./torch-args.ts";
import type { MovementStep } from "./types.ts";

/** x[start:stop:step, …] of Python, an axis each. */
export function pythonSlices(x: Tensor, slices: readonly unknown[]): Tensor {
  return slices.reduce((t: Tensor, one, axis) => {
    const [start, stop, step] = one as (number | null)[];
    return t.slice(axis, start ?? 0, stop ?? undefined, step ?? 1);
  }, x);
}

/** torch's pad: pairs from the last axis to the first. */
export function torchPad(x: Tensor, args: TorchArgs): Tensor {
  const list = args.numbers("pad");
  const pads = x.shape.map((_, axis): [number, number] => {
    const from = 2 * (x.ndim - 1 - axis);
    return [list[from] ?? 0, list[from + 1] ?? 0];
  });
  return padWith(x, pads, { mode: args.text("mode", "constant") as PadMode, value: args.number("value", 0) });
}

/** A shape in which −1 means: as it is. */
export const torchExpand = (x: Tensor, shape: readonly number[]): Tensor =>
  x.expand(shape.map((n, i) => (n === -1 ? (x.shape[i - (shape.length - x.ndim)] ?? 1) : n)));

/** The view that makes an input non-contiguous. */
export function applyViews(base: Tensor, steps: readonly MovementStep[]): Tensor {
  return steps.reduce((x, step) => {
    const args = new TorchArgs(step.args);
    if (step.op === "permute") return x.permute(args.numbers("dims"));
    if (step.op === "transpose") return x.transpose(args.number("dim0"), args.number("dim1"));
    if (step.op === "expand") return torchExpand(x, args.numbers("shape"));
    if (step.op === "flip") return args.numbers("dims").reduce((t, axis) => t.flip(axis), x);
    if (step.op === "reshape") return x.reshape(args.numbers("shape"));
    if (step.op === "unsqueeze") return x.unsqueeze(args.number("dim"));
    if (step.op === "squeeze") return x.squeeze(args.number("dim"));
    if (step.op === "narrow") {
      const start = args.number("start");
      return x.slice(args.number("dim"), start, start + args.number("length"));
    }
    if (step.op === "select") return unbind(x, args.number("dim"))[args.number("index")] ?? x;
    if (step.op === "slice") return pythonSlices(x, step.args.slices as unknown[]);
    throw new Error(`view ${step.op} is not known`);
  }, base);
}
