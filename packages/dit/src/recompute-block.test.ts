import { grad, realize } from "@omni/core";
import type { Tensor } from "@omni/core";
import { expect, test } from "vitest";
import { MMDiT } from "./model.ts";
import { distance, randomize, tinyConfig, tinyInputs } from "./tiny-model.ts";

test("a model that computes its blocks again has the same velocity and the same gradients", async () => {
  const plain = await randomize(new MMDiT(tinyConfig));
  const again = new MMDiT(tinyConfig, { recompute: true });
  again.loadStateDict(plain.stateDict());
  const inputs = tinyInputs();
  const of = (model: MMDiT): { velocity: Tensor; gradients: Tensor[] } => {
    const velocity = model.forward(inputs);
    // the two share the parameters' nodes
    return { velocity, gradients: grad(velocity.square().mean(), Object.values(model.parameters())) };
  };
  const [kept, computed] = [of(plain), of(again)];
  await realize([kept.velocity, computed.velocity, ...kept.gradients, ...computed.gradients]);
  expect(await distance(kept.velocity, computed.velocity)).toBe(0);
  for (const [i, name] of Object.keys(plain.parameters()).entries()) {
    const [a, b] = [kept.gradients[i], computed.gradients[i]];
    if (!a || !b) throw new Error(`${name} has no gradient`);
    // sums over tokens, perhaps in another order
    expect(await distance(a, b), name).toBeLessThan(1e-5 * Math.max(1, await a.abs().max().item()));
  }
});
