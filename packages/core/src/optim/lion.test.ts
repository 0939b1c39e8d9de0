import { expect, test } from "vitest";
import { tensor } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { sample } from "../testing/nd.ts";
import { Lion } from "./lion.ts";

test.each([8, 5])("Lion follows algorithm 2 of Chen et al. 2023 for five steps of %d elements", async (size) => {
  const [lr, decay, beta1, beta2] = [0.03, 0.1, 0.9, 0.99];
  const params = { w: tensor(Float32Array.from(sample([size], 1).data)) };
  const lion = new Lion(params, { lr, weightDecay: decay, betas: [beta1, beta2] });
  const p = sample([size], 1).data.slice();
  const m = new Float64Array(size);
  for (let t = 1; t <= 5; t++) {
    await realize(lion.step({ w: tensor(Float32Array.from(sample([size], 10 + t).data)) }));
    sample([size], 10 + t).data.forEach((g, i) => {
      const c = Math.sign(beta1 * (m[i] ?? NaN) + (1 - beta1) * g);
      p[i] = (p[i] ?? NaN) - lr * (c + decay * (p[i] ?? NaN));
      m[i] = beta2 * (m[i] ?? NaN) + (1 - beta2) * g;
    });
  }
  const tolerance = { absolute: 1e-6, relative: 1e-6 }; // a few f32 roundings of numbers of about 1
  expect(difference(await params.w.data(), p, tolerance)).toBeNull();
  expect(difference((await lion.state().moments["w.m"]?.data()) ?? [], m, tolerance)).toBeNull();
});
