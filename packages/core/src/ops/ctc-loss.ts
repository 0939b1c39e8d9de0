import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { ctcOp } from "../primitives/ctc.ts";
import { pick } from "../primitives/structural.ts";
import { expectDType } from "../tensor/build.ts";
import { Tensor, where } from "../tensor/tensor.ts";
import type { Reduction } from "./losses.ts";

/** What `ctcLoss` takes besides sequences. */
export interface CtcOptions {
  /** The class that stands for no label. */
  readonly blank?: number;
  /** `mean` divides each loss by its target's length first, as PyTorch does. */
  readonly reduction?: Reduction;
  /** Sequences too short for their target count nothing, rather than infinity. */
  readonly zeroInfinity?: boolean;
}

/**
 * Negative log likelihood of label sequences whose places in time are unknown: the sum over all ways to stretch them.
 *
 * @param logProbabilities [T, B, C]
 * @param targets i32 [B, L], filled up with anything behind each one's length
 * @param inputLengths i32 [B]
 * @param targetLengths i32 [B]
 * @throws ShapeError when the sizes disagree
 * @see Graves et al. 2006, "Connectionist Temporal Classification"
 */
export function ctcLoss(
  logProbabilities: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  { blank = 0, reduction = "mean", zeroInfinity = false }: CtcOptions = {},
): Tensor {
  const [steps = 0, batch = 0, classes = 0] = logProbabilities.shape;
  const labels = targets.shape[1] ?? 0;
  const lengths = [inputLengths, targetLengths];
  if (
    logProbabilities.ndim !== 3 ||
    targets.ndim !== 2 ||
    targets.shape[0] !== batch ||
    lengths.some((t) => t.ndim !== 1 || t.size !== batch)
  )
    throw new ShapeError(
      `ctcLoss: log probabilities [T, B, C], targets [B, L] and lengths [B] must share B, got ${[logProbabilities, targets, ...lengths].map((t) => formatShape(t.shape)).join(", ")}`,
    );
  if (steps < 1 || labels < 1 || !Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ShapeError(
      `ctcLoss: needs a step, a label and a blank in [0, ${classes}), got ${steps}, ${labels} and ${blank}`,
    );
  expectDType("ctcLoss", logProbabilities.dtype, ["f32"]);
  for (const t of [targets, ...lengths])
    if (t.dtype !== "i32") throw new DTypeError(`ctcLoss: targets and lengths must be i32, got ${t.dtype}`);
  const inputs = [logProbabilities, targets, inputLengths, targetLengths].map((t) => t.node);
  const node = new Node(ctcOp, inputs, [blank], [batch], "f32");
  const likelihood = new Tensor(new Node(pick, [node], [0], [batch], "f32"));
  const losses = zeroInfinity ? where(likelihood.isFinite(), likelihood, 0) : likelihood;
  if (reduction === "none") return losses;
  if (reduction === "sum") return losses.sum();
  return losses.div(targetLengths.cast("f32").clamp(1)).mean();
}
