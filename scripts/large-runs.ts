/**
 * Do the largest jobs that users bring run within memory on this machine's adapter? Attention over 16,384 tokens, forward and backward, and
 * one 1080p frame through a decoder, the small one's or Wan2.1's at full width, in tiles, with random weights.
 * `npx tsx --conditions=@omni/source scripts/large-runs.ts attention|gradient|decode|decode-wan`
 *
 * Prints seconds, the greatest number of bytes held on the device, and how far a few results are from float64.
 */
import process from "node:process";
import { attention, getDevice, grad, memory, realize, Rng, type Tensor } from "../packages/core/src/index.ts";
import { CausalVae, flops, vaePresets } from "../packages/vae/src/index.ts";

const TOKENS = 16_384;
const HEADS = 4;
const WIDTH = 64;

interface Sequence {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

async function sequence(): Promise<Sequence> {
  const rng = new Rng(1);
  const [q, k, v] = ["q", "k", "v"].map((name) => rng.fork(name).normal([1, HEADS, TOKENS, WIDTH]));
  if (!q || !k || !v) throw new Error("large-runs: needs q, k and v");
  await realize([q, k, v]);
  return { q, k, v };
}

/** Rows of the first head. */
async function rowsOf(x: Tensor, start = 0, end = TOKENS): Promise<Float32Array> {
  return (await x.slice(1, 0, 1).slice(2, start, end).data()) as Float32Array;
}

const dot = (a: Float32Array, b: Float32Array, row: number): number => {
  let sum = 0;
  for (let d = 0; d < WIDTH; d++) sum += (a[d] ?? 0) * (b[row * WIDTH + d] ?? 0);
  return sum;
};

/** A query's shares of all keys, in float64. */
function shares(query: Float32Array, keys: Float32Array): Float64Array {
  const scores = Float64Array.from({ length: TOKENS }, (_, n) => dot(query, keys, n) / Math.sqrt(WIDTH));
  const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const raised = scores.map((s) => Math.exp(s - top));
  const total = raised.reduce((a, b) => a + b, 0);
  return raised.map((x) => x / total);
}

/** Σ of rows, each by its weight. */
function mixed(weights: Float64Array, rows: Float32Array): Float64Array {
  const out = new Float64Array(WIDTH);
  weights.forEach((w, n) => {
    for (let d = 0; d < WIDTH; d++) out[d] = (out[d] ?? 0) + w * (rows[n * WIDTH + d] ?? 0);
  });
  return out;
}

const furthest = (exact: Float64Array, got: Float32Array): number =>
  exact.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (got[i] ?? Infinity))), 0);

const CHECKED = [0, 1000, TOKENS - 1];

async function forward(): Promise<string> {
  const { q, k, v } = await sequence();
  const y = await attention(q, k, v).realize();
  const [keys, values] = [await rowsOf(k), await rowsOf(v)];
  let worst = 0;
  for (const at of CHECKED) {
    const exact = mixed(shares(await rowsOf(q, at, at + 1), keys), values);
    worst = Math.max(worst, furthest(exact, await rowsOf(y, at, at + 1)));
  }
  return `rows of the result off by at most ${worst.toExponential(1)}`;
}

/** With dY given: dq_i = Σ_j p_ij (dY_i·v_j − dY_i·y_i) k_j / √D. */
async function gradient(): Promise<string> {
  const { q, k, v } = await sequence();
  const dY = await new Rng(2).normal(q.shape).realize();
  const [dq, dk, dv] = grad(attention(q, k, v).mul(dY).sum(), [q, k, v]);
  if (!dq || !dk || !dv) throw new Error("large-runs: needs three gradients");
  await realize([dq, dk, dv]);
  const [keys, values] = [await rowsOf(k), await rowsOf(v)];
  let worst = 0;
  for (const at of CHECKED) {
    const p = shares(await rowsOf(q, at, at + 1), keys);
    const dy = await rowsOf(dY, at, at + 1);
    const through = p.map((_, n) => dot(dy, values, n));
    const mean = p.reduce((sum, share, n) => sum + share * (through[n] ?? 0), 0);
    const weights = p.map((share, n) => (share * ((through[n] ?? 0) - mean)) / Math.sqrt(WIDTH));
    worst = Math.max(worst, furthest(mixed(weights, keys), await rowsOf(dq, at, at + 1)));
  }
  // each query's shares sum to 1, and what they change by to 0
  const ones = dv.sub(dY).sum({ axis: 2 }).abs().max();
  const none = dk.sum({ axis: 2 }).abs().max();
  const [sumOfValues, sumOfKeys] = [await ones.item(), await none.item()].map((x) => Number(x).toExponential(1));
  return `rows of dq off by at most ${worst.toExponential(1)}, sums of dv by ${sumOfValues}, of dk by ${sumOfKeys}`;
}

async function decode(preset: "nano" | "wan21"): Promise<string> {
  const config = vaePresets[preset];
  const vae = new CausalVae(config, new Rng(3));
  await vae.realize();
  const latents = await new Rng(4).normal([1, config.zDim, 1, 135, 240]).realize();
  const frames: Tensor[] = [];
  for await (const frame of vae.decodeFrames(latents, { tiling: { size: 48, overlap: 12 } })) frames.push(frame);
  const [frame] = frames;
  if (!frame) throw new Error("large-runs: decoded no frame");
  const untiled = flops(config, { frames: 1, height: 1080, width: 1920 }).decode / 1e12;
  const blank = (await frame.mul(0).sum().item()) === 0 ? "" : ", not finite";
  return `${frame.shape.join("×")}${blank}, ${untiled.toFixed(1)} Tflop without overlaps`;
}

const jobs: Record<string, () => Promise<string>> = {
  attention: forward,
  gradient,
  decode: () => decode("nano"),
  "decode-wan": () => decode("wan21"),
};
const name = process.argv[2] ?? "";
const job = jobs[name];
if (!job) throw new Error(`large-runs: needs one of ${Object.keys(jobs).join(", ")}, got "${name}"`);
console.log((await getDevice()).description);
const start = performance.now();
const result = await job();
const { peak } = await memory();
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`${name}: ${seconds} s, at most ${(peak / 2 ** 30).toFixed(2)} GiB on the device; ${result}`);
process.exit(0);
