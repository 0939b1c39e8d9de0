/** Fits a small network to noisy points, step by step; the same in Node and in a page. */
import { grad, mseLoss, realize, Rng, type Tensor, tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import { AdamW, linear } from "@omni/core/optim";

const POINTS = 200;
const NOISE = 0.08;
const LEARNING_RATE = 0.03;

/** The wave behind the points, which the fit should find. */
export const wave = (x: number): number => Math.sin(3 * x) * Math.exp(-x * x * 0.25);

class Curve extends Module {
  readonly hidden1 = new Linear(1, 48, { rng: new Rng(1) });
  readonly hidden2 = new Linear(48, 48, { rng: new Rng(2) });
  readonly out = new Linear(48, 1, { rng: new Rng(3) });

  forward(x: Tensor): Tensor {
    return this.out.forward(this.hidden2.forward(this.hidden1.forward(x).tanh()).tanh());
  }
}

export interface Fit {
  readonly step: number;
  /** Mean squared distance of the points from the fit, before this step's update. */
  readonly loss: number;
  /** The points to fit, and the fit at `gridX`. */
  readonly points: { readonly x: Float32Array; readonly y: Float32Array };
  readonly gridX: Float32Array;
  readonly gridY: Float32Array;
}

/** Trains, and tells of the fit after the first step, every `every` steps and after the last. */
export async function* fitCurve({ steps = 200, every = 10 } = {}): AsyncGenerator<Fit> {
  const x = await new Rng(4).uniform([POINTS, 1], -3, 3).realize();
  const xs = Float32Array.from(await x.data());
  const noise = await new Rng(5).normal([POINTS]).data();
  const ys = xs.map((v, i) => wave(v) + NOISE * (noise[i] ?? 0));
  const y = tensor(ys, { shape: [POINTS, 1] });
  const gridX = Float32Array.from({ length: 121 }, (_, i) => -3 + i / 20);
  const grid = tensor(gridX, { shape: [gridX.length, 1] });

  const curve = await new Curve().realize();
  const params = curve.parameters();
  const adam = new AdamW(params, { lr: LEARNING_RATE });
  const schedule = linear({ peak: LEARNING_RATE, warmup: 20, total: steps });
  for (let step = 1; step <= steps; step++) {
    const loss = mseLoss(curve.forward(x), y);
    const gradients = grad(loss, Object.values(params));
    const named = Object.fromEntries(Object.keys(params).map((name, i) => [name, gradients[i] ?? loss]));
    await realize([loss, ...adam.step(named, { lr: schedule(step - 1) })]); // forward, backward and update in one submit
    if (step > 1 && step < steps && step % every > 0) continue;
    const gridY = Float32Array.from(await curve.forward(grid).data());
    yield { step, loss: await loss.item(), points: { x: xs, y: ys }, gridX, gridY };
  }
}
