/** Fits a small network to a sine on whatever adapter there is. */
import { grad, mseLoss, realize, Rng, type Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import { AdamW } from "@omni/core/optim";

class Curve extends Module {
  readonly hidden = new Linear(1, 64, { rng: new Rng(1) });
  readonly out = new Linear(64, 1, { rng: new Rng(2) });

  forward(x: Tensor): Tensor {
    return this.out.forward(this.hidden.forward(x).tanh());
  }
}

const x = await new Rng(3).uniform([256, 1], -Math.PI, Math.PI).realize();
const curve = await new Curve().realize();
const params = curve.parameters();
const adam = new AdamW(params, { lr: 0.01 });

for (let step = 0; step <= 400; step++) {
  const loss = mseLoss(curve.forward(x), x.sin());
  const gradients = grad(loss, Object.values(params));
  const named = Object.fromEntries(Object.keys(params).map((name, i) => [name, gradients[i] ?? loss]));
  await realize([loss, ...adam.step(named)]); // forward, backward and update in one submit
  if (step % 100 === 0) console.log(`step ${step}: loss ${(await loss.item()).toExponential(2)}`);
}
