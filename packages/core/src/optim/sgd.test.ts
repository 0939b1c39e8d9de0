import { describe, expect, test } from "vitest";
import { OmniError } from "../base/errors.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { difference } from "../testing/allclose.ts";
import { sample } from "../testing/nd.ts";
import { SGD, type SGDOptions } from "./sgd.ts";

/** The update of Sutskever et al. 2013 as PyTorch's documentation states it, in float64. */
function reference(options: Partial<SGDOptions> & { lr: number }, size: number, steps: number): Float64Array {
  const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, maximize = false } = options;
  const p = sample([size], 1).data.slice();
  const b = new Float64Array(size);
  for (let t = 1; t <= steps; t++)
    sample([size], 10 + t).data.forEach((g, i) => {
      const d = (maximize ? -g : g) + weightDecay * (p[i] ?? NaN);
      b[i] = t === 1 ? d : momentum * (b[i] ?? NaN) + (1 - dampening) * d;
      const step = momentum === 0 ? d : nesterov ? d + momentum * (b[i] ?? NaN) : (b[i] ?? NaN);
      p[i] = (p[i] ?? NaN) - lr * step;
    });
  return p;
}

describe("SGD", () => {
  test.each<Partial<SGDOptions> & { lr: number }>([
    { lr: 0.1 },
    { lr: 0.1, weightDecay: 0.2 },
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
    { lr: 0.1, momentum: 0.8, dampening: 0.3, weightDecay: 0.1 },
    { lr: 0.1, momentum: 0.8, maximize: true },
  ])("follows its definition for five steps: %o", async (options) => {
    for (const size of [8, 5]) {
      const params = { w: tensor(Float32Array.from(sample([size], 1).data)) };
      const sgd = new SGD(params, options);
      for (let t = 1; t <= 5; t++)
        await realize(sgd.step({ w: tensor(Float32Array.from(sample([size], 10 + t).data)) }));
      // five steps of a few f32 roundings on numbers of about 1
      expect(
        difference(await params.w.data(), reference(options, size, 5), { absolute: 2e-6, relative: 2e-6 }),
      ).toBeNull();
    }
  });

  test("keeps no state without momentum", () => {
    expect(new SGD({ w: zeros([2]) }, { lr: 1 }).state().moments).toEqual({});
  });

  test("takes Nesterov's momentum only with momentum and without dampening", () => {
    const make = (options: Partial<SGDOptions>) => () =>
      new SGD({ w: zeros([2]) }, { lr: 1, nesterov: true, ...options });
    expect(make({})).toThrow(OmniError);
    expect(make({ momentum: 0.9, dampening: 0.1 })).toThrow("got momentum 0.9 and dampening 0.1");
  });
});
