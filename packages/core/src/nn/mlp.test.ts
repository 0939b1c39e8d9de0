import { expect, test } from "vitest";
import { Rng } from "../tensor/random.ts";
import { tensor } from "../tensor/create.ts";
import { difference } from "../testing/allclose.ts";
import { MLP, SwiGLU } from "./mlp.ts";

const silu = (x: number): number => x / (1 + Math.exp(-x));
// a few f32 roundings
const TOLERANCE = { absolute: 1e-6, relative: 1e-6 };

test("MLP puts its activation between two maps", async () => {
  const mlp = new MLP(1, 2, { out: 1, activation: (x) => x.relu() });
  mlp.loadStateDict({
    "fc1.weight": tensor([[2], [-3]]),
    "fc1.bias": tensor([1, 0]),
    "fc2.weight": tensor([[5, 7]]),
    "fc2.bias": tensor([0.5]),
  });
  // at 1: relu(3), relu(-3); at -1: relu(-1), relu(3)
  expect(await mlp.forward(tensor([[1], [-1]])).data()).toEqual(Float32Array.of(15.5, 21.5));
  expect(new MLP(4, 8, { bias: false, rng: new Rng(1) }).numParameters()).toBe(64);
});

test("SwiGLU gates one map by another", async () => {
  const gated = new SwiGLU(1, 2);
  expect(Object.keys(gated.parameters())).toEqual(["w1.weight", "w2.weight", "w3.weight"]);
  gated.loadStateDict({
    "w1.weight": tensor([[1], [-2]]),
    "w2.weight": tensor([[3, 4]]),
    "w3.weight": tensor([[5], [6]]),
  });
  const expected = 3 * silu(0.5) * 2.5 + 4 * silu(-1) * 3;
  expect(difference(await gated.forward(tensor([[0.5]])).data(), [expected], TOLERANCE)).toBeNull();
});
