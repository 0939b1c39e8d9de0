/**
 * What does timing kernels gain on this machine's adapter?
 * `npx tsx --conditions=@omni/source scripts/autotune-gains.ts [words of ids]`
 *
 * For the products, convolutions and attention of the benchmark's catalog: the way that `autotune` chooses, and then, timed anew in turns, its time
 * over the chooser's own (median and quartiles). "same" is the chooser's own over itself: what chance makes.
 */
import { paddingOf } from "../benchmarks/src/ops/convolution.ts";
import { type BenchOp, catalog } from "../benchmarks/src/ops/catalog.ts";
import { attention, conv1d, conv2d, conv3d, grad, metaTensor, type Tensor } from "../packages/core/src/index.ts";
import { topologicalOrder } from "../packages/core/src/graph/node.ts";
import { getDevice } from "../packages/core/src/runtime/index.ts";
import { candidateTimer } from "../packages/core/src/schedule/candidate-timer.ts";
import { planGraph } from "../packages/core/src/schedule/planner.ts";
import { tuneKernels } from "../packages/core/src/schedule/tune.ts";

const ROUNDS = 15;
const convolutions = [conv1d, conv2d, conv3d];

function tensorsOf(op: BenchOp): readonly Tensor[] {
  if (op.kind === "matmul") {
    const { batch, m, k, n } = op.spec;
    const lead = batch === 1 ? [] : [batch];
    return [metaTensor([...lead, m, k]).matmul(metaTensor([...lead, k, n]))];
  }
  if (op.kind === "attention" || op.kind === "attentionBackward") {
    const shape = [1, op.spec.heads, op.spec.tokens, op.spec.headDim];
    const [q, k, v] = [metaTensor(shape), metaTensor(shape), metaTensor(shape)];
    const o = attention(q, k, v);
    return op.kind === "attention" ? [o] : grad(o.mul(metaTensor(shape)).sum(), [q, k, v]);
  }
  if (op.kind !== "convolution") return [];
  const { channels, out, size, kernel } = op.spec;
  const x = metaTensor([1, channels, ...size]);
  const weight = metaTensor([out, channels, ...size.map(() => kernel)]);
  const y = (convolutions[size.length - 1] ?? conv3d)(x, weight, null, { padding: paddingOf(op.spec) });
  return [y, ...grad(y.square().sum(), [x, weight])];
}

const quartiles = (values: readonly number[]): string => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.round((sorted.length - 1) * part)] ?? NaN).toFixed(2);
  return `${at(0.5)} (${at(0.25)}–${at(0.75)})`;
};

const words = process.argv.slice(2);
const device = await getDevice({ autotune: "ask" });
console.log(device.description);
for (const op of catalog) {
  if ((op.on === "gpu" && device.traits.software) || !(words.length === 0 || words.some((w) => op.id.includes(w))))
    continue;
  const roots = tensorsOf(op).map(({ node }) => node);
  for (const kernel of planGraph(topologicalOrder(roots), roots, device.traits).tunable) {
    const began = performance.now();
    const [tuned] = await tuneKernels(device, [kernel], { again: true, keep: false });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const [first] = kernel.candidates;
    const best = kernel.candidates.find(({ name }) => name === tuned?.choice);
    if (!tuned || !first || !best) continue;
    const timer = await candidateTimer(
      device,
      kernel,
      [first, first, best].map(({ program }) => program()),
    );
    const same: number[] = [];
    const gain: number[] = [];
    let fastest = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const order = round % 2 === 0 ? [0, 1, 2] : [2, 1, 0];
      const times = [0, 0, 0];
      for (const i of order) times[i] = await timer.time(i);
      const [a = NaN, b = NaN, c = NaN] = times;
      same.push(b / a);
      gain.push(c / a);
      fastest = Math.min(fastest, a);
    }
    timer.destroy();
    const name = `${op.id} ${kernel.key.split(" ")[0]}`;
    const found = best === first ? `keeps ${first.name}` : `${first.name} → ${best.name} ${tuned.ratio.toFixed(2)}`;
    console.log(
      `${name.padEnd(36)} ${found.padEnd(32)} of ${tuned.candidates} in ${seconds} s; again ${quartiles(gain)}, same ${quartiles(same)}, ${fastest.toFixed(1)} ms a batch`,
    );
  }
}
device.check();
process.exit(0);
