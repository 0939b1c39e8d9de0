import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { describeOp } from "../testing/describe-op.ts";
import { expectClose, ROUNDING, type Tolerance } from "../testing/allclose.ts";
import { numericGradient } from "../testing/gradcheck.ts";
import { at, build, sample, sum, type Nd } from "../testing/nd.ts";
import { softmax, zip } from "../testing/reference.ts";
import {
  bceWithLogits,
  cdist,
  cosineSimilarity,
  crossEntropy,
  huberLoss,
  klDivergence,
  l1Loss,
  mseLoss,
  nllLoss,
  pairwiseDistance,
  smoothL1Loss,
  type ClassLossOptions,
} from "./losses.ts";

// exponentials and logarithms to 4e-6
const LOGARITHMS: Tolerance = { absolute: 8e-6, relative: 8e-6 };

const mean = (x: Nd): Nd => build([], () => sum(x.data.length, (i) => x.data[i] ?? 0) / x.data.length);

describeOp("mseLoss", (a, b) => mseLoss(a, b), {
  cases: [
    { a: [3, 5], b: [3, 5] },
    { a: [8], b: [8] },
    { a: [], b: [] },
  ],
  reference: (a, b) =>
    build([], () => sum(a.data.length, (i) => ((a.data[i] ?? 0) - (b.data[i] ?? 0)) ** 2) / a.data.length),
  tolerance: ROUNDING,
  throws: [[{ a: [2, 1], b: [2] }, "mseLoss: shapes must agree, got [2, 1] and [2]"]],
});

const huber = (d: number, delta: number): number =>
  Math.abs(d) < delta ? d ** 2 / 2 : delta * (Math.abs(d) - delta / 2);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

// the papers' formulas of one element
const elementwise: [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number][] = [
  ["l1Loss", (a, b) => l1Loss(a, b), (a, b) => Math.abs(a - b)],
  ["huberLoss", (a, b) => huberLoss(a, b, { delta: 0.5 }), (a, b) => huber(a - b, 0.5)],
  ["smoothL1Loss", (a, b) => smoothL1Loss(a, b, { beta: 0.7 }), (a, b) => huber(a - b, 0.7) / 0.7],
  ["smoothL1Loss of beta 0", (a, b) => smoothL1Loss(a, b, { beta: 0 }), (a, b) => Math.abs(a - b)],
  [
    "bceWithLogits",
    (x, y) => bceWithLogits(x, y),
    (x, y) => -y * Math.log(sigmoid(x)) - (1 - y) * Math.log(1 - sigmoid(x)),
  ],
  ["klDivergence", (q, p) => klDivergence(q, p.square()), (q, p) => p ** 2 * (Math.log(p ** 2) - q)],
];
for (const [name, op, value] of elementwise)
  describeOp(name, op, {
    cases: [
      { a: [3, 5], b: [3, 5] },
      { a: [], b: [] },
    ],
    reference: (a, b) => mean(zip(value, a, b)),
    tolerance: LOGARITHMS,
    range: [-2, 2],
    throws: [[{ a: [2, 1], b: [2] }, `${name.split(" ")[0]}: shapes must agree, got [2, 1] and [2]`]],
  });

describe("reductions of losses", () => {
  test("are the mean, the sum or none", async () => {
    const [a, b] = [tensor([1, 2, 4]), tensor([0, 4, 1])];
    const results: [Tensor, number[]][] = [
      [mseLoss(a, b, { reduction: "none" }), [1, 4, 9]],
      [mseLoss(a, b, { reduction: "sum" }), [14]],
      [l1Loss(a, b, { reduction: "none" }), [1, 2, 3]],
      [l1Loss(a, b), [2]],
      [huberLoss(a, b, { reduction: "none", delta: 2 }), [0.5, 2, 4]],
      [smoothL1Loss(a, b, { reduction: "sum", beta: 2 }), [0.25 + 1 + 2]],
    ];
    await realize(results.map(([y]) => y));
    for (const [y, expected] of results) expect([...(await y.data())]).toEqual(expected);
  });
});

describe("losses of probabilities", () => {
  // −log σ(−x) → x for large x
  test("bceWithLogits stays finite however sure a logit is", async () => {
    const y = bceWithLogits(tensor([500, 500, -500, -500]), tensor([1, 0, 1, 0]), { reduction: "none" });
    expect([...(await y.data())]).toEqual([0, 500, 500, 0]);
  });

  test("klDivergence of equal distributions is 0, and impossible events add nothing", async () => {
    const p = tensor([0.5, 0.5, 0]);
    const y = klDivergence(tensor([Math.log(0.5), Math.log(0.5), -7]), p, { reduction: "sum" });
    const [dp = zeros([])] = grad(y, [p]);
    expect(await y.item()).toBeCloseTo(0, 6);
    // log p + 1 − log q where p > 0; −log q where p = 0, as PyTorch's xlogy has it
    const slope = [...(await dp.data())];
    [1, 1, 7].forEach((v, i) => expect(slope[i]).toBeCloseTo(v, 5));
  });
});

describeOp("cosineSimilarity", (a, b) => cosineSimilarity(a, b, { axis: -1 }), {
  cases: [
    { a: [3, 5], b: [3, 5] },
    { a: [2, 4, 3], b: [2, 1, 3] },
  ],
  reference: (a, b) => {
    const dot = (x: Nd, y: Nd): Nd => {
      const product = zip((u, v) => u * v, x, y);
      return build([...product.shape.slice(0, -1), 1], (index) =>
        sum(product.shape.at(-1) ?? 0, (i) => at(product, [...index.slice(0, -1), i])),
      );
    };
    const y = zip((ab, aa, bb) => ab / Math.sqrt(aa * bb), dot(a, b), dot(a, a), dot(b, b));
    return { shape: y.shape.slice(0, -1), data: y.data };
  },
  tolerance: LOGARITHMS,
});

describeOp("pairwiseDistance", (a, b) => pairwiseDistance(a, b, { p: 3, eps: 1e-3 }), {
  cases: [
    { a: [3, 5], b: [3, 5] },
    { a: [4], b: [4] },
  ],
  reference: (a, b) =>
    build(
      a.shape.slice(0, -1),
      (index) =>
        sum(a.shape.at(-1) ?? 0, (i) => Math.abs(at(a, [...index, i]) - at(b, [...index, i]) + 1e-3) ** 3) ** (1 / 3),
    ),
  tolerance: LOGARITHMS,
});

test("cosineSimilarity of a zero vector is 0, of a vector and itself 1", async () => {
  const x = tensor([
    [0, 0],
    [3, 4],
  ]);
  const [zero = NaN, one = NaN] = await cosineSimilarity(x, x).data();
  expect(zero).toBe(0);
  expect(one).toBeCloseTo(1, 6);
  // ‖ε‖ of two components
  expect(await pairwiseDistance(x.slice(0, 1), x.slice(0, 1), { eps: 0.1 }).item()).toBeCloseTo(0.1 * Math.SQRT2, 6);
});

describe("nllLoss and crossEntropy of classes", () => {
  // [N, C, L] and [N, L]; one target is left out
  const IDS = [
    [2, 0, -100],
    [1, 1, 3],
  ];
  const WEIGHT = [0.5, 1, 2, 3];
  const ids = tensor(IDS, { dtype: "i32" });
  const last = (x: Nd): Nd => build([2, 3, 4], ([n = 0, l = 0, c = 0]) => at(x, [n, c, l]));
  const logSoftmax = (x: Nd): Nd => zip(Math.log, softmax(last(x)));
  /** Weighted mean of −(1 − s)·log p of the target − s/C·Σ w·log p. @see torch.nn.CrossEntropyLoss */
  const reference = (logP: Nd, weight: readonly number[], smoothing: number): Nd => {
    let [loss, weights] = [0, 0];
    IDS.forEach((row, n) =>
      row.forEach((id, l) => {
        if (id < 0) return;
        const log = (c: number): number => at(logP, [n, l, c]);
        const w = weight[id] ?? 1;
        weights += w;
        loss -= (1 - smoothing) * w * log(id) + (smoothing / 4) * sum(4, (c) => (weight[c] ?? 1) * log(c));
      }),
    );
    return build([], () => loss / weights);
  };

  const cases: [string, ClassLossOptions & { labelSmoothing?: number }, readonly number[]][] = [
    ["plain", {}, []],
    ["weighted", { weight: tensor(WEIGHT) }, WEIGHT],
    ["smoothed", { labelSmoothing: 0.2 }, []],
    ["weighted and smoothed", { weight: tensor(WEIGHT), labelSmoothing: 0.2 }, WEIGHT],
  ];
  for (const [name, options, weight] of cases)
    describeOp(`crossEntropy, ${name}`, (x) => crossEntropy(x, ids, options), {
      cases: [{ x: [2, 4, 3] }],
      reference: (x) => reference(logSoftmax(x), weight, options.labelSmoothing ?? 0),
      tolerance: LOGARITHMS,
      range: [-3, 3],
    });
  describeOp("nllLoss, weighted", (x) => nllLoss(x, ids, { weight: tensor(WEIGHT) }), {
    cases: [{ x: [2, 4, 3] }],
    reference: (x) => reference(last(x), WEIGHT, 0),
    tolerance: ROUNDING,
    throws: [
      [
        { x: [2, 4, 2] },
        "nllLoss: scores [N, C, …] and ids [N, …] must agree, got [2, 2, 4] (classes last) and [2, 3]",
      ],
    ],
  });
  describeOp("crossEntropy of probabilities", (x, p) => crossEntropy(x, p, { labelSmoothing: 0.1 }), {
    cases: [{ x: [3, 4], p: [3, 4] }],
    reference: (x, p) => {
      const log = zip(Math.log, softmax(x));
      return build([], () => -sum(12, (i) => (0.9 * (p.data[i] ?? 0) + 0.025) * (log.data[i] ?? 0)) / 3);
    },
    tolerance: LOGARITHMS,
    throws: [[{ x: [3, 4], p: [3] }, "crossEntropy: shapes must agree, got [3, 4] and [3]"]],
  });

  test("ignoreIndex and reduction: what is left out is 0, and counts in no mean", async () => {
    const logP = tensor([
      [-1, -2],
      [-3, -4],
    ]);
    const target = tensor([1, 0], { dtype: "i32" });
    const results: [Tensor, number[]][] = [
      [nllLoss(logP, target, { reduction: "none" }), [2, 3]],
      [nllLoss(logP, target, { ignoreIndex: 1, reduction: "none" }), [0, 3]],
      [nllLoss(logP, target, { ignoreIndex: 1 }), [3]],
      [nllLoss(logP, target, { reduction: "sum" }), [5]],
      [nllLoss(tensor([-1, -2]), tensor(1, { dtype: "i32" })), [2]],
      [crossEntropy(logP, target, { ignoreIndex: 1, reduction: "none" }).slice(0, 0, 1), [0]],
    ];
    await realize(results.map(([y]) => y));
    // + 0: what is left out may be −0
    for (const [y, expected] of results) expect([...(await y.data())].map((v) => v + 0)).toEqual(expected);
  });

  test("classes that are ruled out do not count unless they are the target", async () => {
    const logits = tensor([[0, -Infinity, 0]]);
    const target = tensor([2], { dtype: "i32" });
    const loss = crossEntropy(logits, target);
    const [dx = zeros([])] = grad(loss, [logits]);
    // two classes are left: log 2, and a gradient of p − 1 at the target
    expect(await loss.item()).toBeCloseTo(Math.LN2, 6);
    const slope = [...(await dx.data())];
    [0.5, 0, -0.5].forEach((v, i) => expect(slope[i]).toBeCloseTo(v, 6));
    expect(await nllLoss(logits, target).item()).toBeCloseTo(0, 6);
  });
});

describe("crossEntropy", () => {
  const CLASSES = [2, 0, 4, 1];
  const reference = (x: Nd): Nd =>
    build([], () => -sum(CLASSES.length, (i) => Math.log(at(softmax(x), [i, CLASSES[i] ?? 0]))) / CLASSES.length);

  test("is the mean negative log likelihood, with its gradient", async () => {
    const x = sample([4, 5], 3, -3, 3);
    const logits = tensor(Float32Array.from(x.data), { shape: x.shape });
    const loss = crossEntropy(logits, tensor(CLASSES, { dtype: "i32" }));
    const [dx] = grad(loss, [logits]);
    await expectClose(loss, reference(x), { absolute: 4e-6, relative: 4e-6 });
    const numeric = numericGradient(
      ([given = x]) => reference(given),
      [x],
      0,
      build([], () => 1),
    );
    if (dx) await expectClose(dx, numeric, { absolute: 4e-6, relative: 4e-6 });
  });

  test("is log C where nothing is known, and finite where the class is all but ruled out", async () => {
    const ids = tensor([3], { dtype: "i32" });
    expect(await crossEntropy(zeros([1, 8]), ids).item()).toBeCloseTo(Math.log(8), 5);
    expect(await crossEntropy(tensor([[100, 0, 0, -100]]), ids).item()).toBeCloseTo(200, 3);
  });

  test("refuses shapes that do not fit", () => {
    expect(() => crossEntropy(zeros([4, 5]), tensor([1], { dtype: "i32" }))).toThrow(
      "crossEntropy: scores [N, C, …] and ids [N, …] must agree, got [4, 5] (classes last) and [1]",
    );
  });
});

for (const p of [1, 2])
  describeOp(`cdist, p = ${p}`, (a, b) => cdist(a, b, { p }), {
    cases: [
      { a: [4, 3], b: [5, 3] },
      { a: [2, 2, 3], b: [1, 3] },
      { a: [0, 3], b: [2, 3] },
    ],
    reference: (a, b) => {
      const d = a.shape.at(-1) ?? 0;
      return build([...a.shape.slice(0, -1), b.shape.at(-2) ?? 0], (index) => {
        const [lead, i = 0, j = 0] = [index.slice(0, -2), ...index.slice(-2)];
        return sum(d, (k) => Math.abs(at(a, [...lead, i, k]) - at(b, [...lead, j, k])) ** p) ** (1 / p);
      });
    },
    tolerance: LOGARITHMS,
    throws: [[{ a: [2, 3], b: [2, 2] }, "cdist: rows [..., n, d] and [..., m, d] must share d, got [2, 3] and [2, 2]"]],
  });
