import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { numericGradient } from "../testing/gradcheck.ts";
import { build, sample, type Nd } from "../testing/nd.ts";
import { ctcLoss } from "./ctc-loss.ts";
import { logSoftmax } from "./softmax.ts";

// tens of sums of exponentials and their logarithms
const CTC: Tolerance = { absolute: 2e-5, relative: 2e-5 };

const T = 5;
const CLASSES = 4;
const TARGETS = [
  [1, 1, 2],
  [3, 0, 0],
  [2, 1, 0],
];
const TARGET_LENGTHS = [3, 1, 2];
const INPUT_LENGTHS = [5, 3, 4];

/** What a way through time spells: repeats merged, blanks (0) left out. */
const spelled = (path: readonly number[]): string => path.filter((c, i) => c !== 0 && c !== path[i - 1]).join(" ");

/** −log Σ over every path of T steps that spells the target: the definition, by trying all of them. */
function definition(logP: Nd): Nd {
  const at = (t: number, b: number, c: number): number => logP.data[(t * TARGETS.length + b) * CLASSES + c] ?? NaN;
  return build([TARGETS.length], ([b = 0]) => {
    const steps = INPUT_LENGTHS[b] ?? 0;
    const wanted = (TARGETS[b] ?? []).slice(0, TARGET_LENGTHS[b]).join(" ");
    let total = 0;
    for (let n = 0; n < CLASSES ** steps; n++) {
      const path = Array.from({ length: steps }, (_, t) => Math.floor(n / CLASSES ** t) % CLASSES);
      if (spelled(path) === wanted) total += Math.exp(path.reduce((sum, c, t) => sum + at(t, b, c), 0));
    }
    return -Math.log(total);
  });
}

const whole = (values: readonly number[] | readonly number[][]): Tensor => tensor(values, { dtype: "i32" });
const lossOf = (logP: Tensor, options = {}): Tensor =>
  ctcLoss(logP, whole(TARGETS), whole(INPUT_LENGTHS), whole(TARGET_LENGTHS), options);

describe("ctcLoss", () => {
  const x = sample([T, TARGETS.length, CLASSES], 1, -2, 0);
  const leaf = tensor(Float32Array.from(x.data), { shape: x.shape });

  test("sums over every path that spells the target", async () => {
    await expectClose(lossOf(leaf, { reduction: "none" }), definition(x), CTC);
  });

  test("has the gradient of its definition", async () => {
    const weights = sample([TARGETS.length], 2);
    const seed = tensor(Float32Array.from(weights.data));
    const [dx] = grad(lossOf(leaf, { reduction: "none" }), [leaf], seed);
    if (!dx) throw new Error("a gradient for each tensor");
    const numeric = numericGradient(([v = x]) => definition(v), [x], 0, weights);
    await expectClose(dx, numeric, { absolute: 1e-4, relative: 1e-4 });
  });

  test("through logSoftmax its gradient sums to zero over the classes", async () => {
    const logits = tensor(Float32Array.from(x.data), { shape: x.shape });
    const [dx] = grad(lossOf(logSoftmax(logits)), [logits]);
    const sums = (await dx?.sum({ axis: -1 }).data()) ?? [NaN];
    for (const s of sums) expect(Math.abs(s)).toBeLessThan(1e-5);
  });

  test("divides by the target's length for the mean", async () => {
    const { data } = definition(x);
    const expected = data.reduce((sum, loss, b) => sum + loss / (TARGET_LENGTHS[b] ?? 1), 0) / data.length;
    expect(await lossOf(leaf).item()).toBeCloseTo(expected, 4);
  });

  test("is infinite, or nothing, where the target does not fit", async () => {
    // "1 1 2" takes four steps: a blank must part the two ones
    const short = ctcLoss(leaf, whole(TARGETS), whole([3, 3, 4]), whole(TARGET_LENGTHS), { reduction: "none" });
    expect((await short.data())[0]).toBe(Infinity);
    const left = ctcLoss(leaf, whole(TARGETS), whole([3, 3, 4]), whole(TARGET_LENGTHS), {
      reduction: "sum",
      zeroInfinity: true,
    });
    const { data } = definition(x);
    const [dx] = grad(left, [leaf]);
    expect(await left.item()).toBeCloseTo((data[1] ?? 0) + (data[2] ?? 0), 4);
    expect([...((await dx?.slice(1, 0, 1).data()) ?? [NaN])].every((v) => v === 0)).toBe(true);
  });

  test("refuses sizes that disagree", () => {
    expect(() => ctcLoss(zeros([5, 2, 4]), whole([[1], [2], [3]]), whole([5, 5]), whole([1, 1]))).toThrow(
      "ctcLoss: log probabilities [T, B, C], targets [B, L] and lengths [B] must share B",
    );
    expect(() => lossOf(leaf, { blank: 4 })).toThrow("a blank in [0, 4)");
  });
});
