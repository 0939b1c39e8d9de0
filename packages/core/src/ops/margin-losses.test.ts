import { tensor } from "../tensor/create.ts";
import { type Tolerance } from "../testing/allclose.ts";
import { describeOp } from "../testing/describe-op.ts";
import { at, build, sum, type Nd } from "../testing/nd.ts";
import { zip } from "../testing/reference.ts";
import {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  softMarginLoss,
  tripletMarginLoss,
} from "./margin-losses.ts";

// exponentials and logarithms to 4e-6
const LOGARITHMS: Tolerance = { absolute: 8e-6, relative: 8e-6 };

const SIGNS = [1, -1, -1, 1];
const labels = tensor(SIGNS);
const signs: Nd = { shape: [4], data: Float64Array.from(SIGNS) };
const mean = (x: Nd): Nd => ({
  shape: [],
  data: Float64Array.of(sum(x.data.length, (i) => x.data[i] ?? 0) / x.data.length),
});

// PyTorch's documentation
describeOp("hingeEmbeddingLoss", (x) => hingeEmbeddingLoss(x, labels, { margin: 0.5 }), {
  cases: [{ x: [4] }],
  reference: (x) => mean(zip((d, y) => (y > 0 ? d : Math.max(0, 0.5 - d)), x, signs)),
  tolerance: LOGARITHMS,
  throws: [[{ x: [3] }, "hingeEmbeddingLoss: shapes must agree, got [3] and [4]"]],
});
describeOp("marginRankingLoss", (a, b) => marginRankingLoss(a, b, labels, { margin: 0.3, reduction: "none" }), {
  cases: [{ a: [4], b: [4] }],
  reference: (a, b) => zip((p, q, y) => Math.max(0, -y * (p - q) + 0.3), a, b, signs),
  tolerance: LOGARITHMS,
  throws: [[{ a: [4], b: [3] }, "marginRankingLoss: shapes must agree, got [4] and [3]"]],
});
describeOp("softMarginLoss", (x) => softMarginLoss(x, labels, { reduction: "none" }), {
  cases: [{ x: [4] }],
  reference: (x) => zip((v, y) => Math.log(1 + Math.exp(-v * y)), x, signs),
  tolerance: LOGARITHMS,
});

const rows = (x: Nd, f: (i: number) => number): Nd => build(x.shape.slice(0, -1), ([i = 0]) => f(i));
const distance = (a: Nd, b: Nd, i: number): number =>
  Math.hypot(...Array.from({ length: a.shape[1] ?? 0 }, (_, j) => at(a, [i, j]) - at(b, [i, j]) + 1e-6));
describeOp("tripletMarginLoss", (a, p, n) => tripletMarginLoss(a, p, n, { margin: 0.2 }), {
  cases: [{ a: [5, 3], p: [5, 3], n: [5, 3] }],
  reference: (a, p, n) => mean(rows(a, (i) => Math.max(0, distance(a, p, i) - distance(a, n, i) + 0.2))),
  tolerance: LOGARITHMS,
});

const cosine = (a: Nd, b: Nd, i: number): number => {
  const product = (x: Nd, y: Nd): number => sum(x.shape[1] ?? 0, (j) => at(x, [i, j]) * at(y, [i, j]));
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
};
describeOp("cosineEmbeddingLoss", (a, b) => cosineEmbeddingLoss(a, b, labels, { margin: 0.1 }), {
  cases: [{ a: [4, 3], b: [4, 3] }],
  reference: (a, b) =>
    mean(rows(a, (i) => ((SIGNS[i] ?? 0) > 0 ? 1 - cosine(a, b, i) : Math.max(0, cosine(a, b, i) - 0.1)))),
  tolerance: LOGARITHMS,
  throws: [[{ a: [4, 3], b: [4, 2] }, "cosineEmbeddingLoss: shapes must agree, got [4, 3] and [4, 2]"]],
});
