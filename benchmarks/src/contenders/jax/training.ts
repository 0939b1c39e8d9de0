import { ADAM } from "../../ops/training.ts";
import type { Builders } from "../contender.ts";
import { joinedArrays } from "../layouts.ts";
import type { JaxRunner } from "./jax-runner.ts";
import type { Jax, JaxArray } from "./jax-api.ts";

/** A parameter with its moments. */
type Slots = readonly [parameter: JaxArray, first: JaxArray, second: JaxArray];

/** The numbers that change from step to step: lr / (1 − β₁ᵗ) and 1 / (1 − β₂ᵗ), as an input so that nothing is traced anew. */
const corrections = (jax: Jax, t: number): JaxArray =>
  jax.numpy.array(Float32Array.of(ADAM.lr / (1 - ADAM.beta1 ** t), 1 / (1 - ADAM.beta2 ** t))).reshape([2, 1]);

/** Adam's update as optax writes it; takes every argument's reference. */
function updated(jax: Jax, [p, m, v]: Slots, gradient: JaxArray, [rate, scale]: readonly [JaxArray, JaxArray]): Slots {
  const first = m.mul(ADAM.beta1).add(gradient.ref.mul(1 - ADAM.beta1));
  const second = v.mul(ADAM.beta2).add(jax.numpy.square(gradient).mul(1 - ADAM.beta2));
  const root = jax.numpy.sqrt(second.ref.mul(scale)).add(ADAM.eps);
  return [p.sub(first.ref.mul(rate).div(root)), first, second];
}

/** Rows 0 and 1 of the corrections as numbers of one element; takes the reference. */
function split(jax: Jax, both: JaxArray): [JaxArray, JaxArray] {
  const [rate, scale] = jax.numpy.split(both, 2);
  if (!rate || !scale) throw new Error("jax: split must give two parts");
  return [rate.reshape([1]), scale.reshape([1])];
}

/** Updates and a training step. */
export const trainingBuilders = (runner: JaxRunner): Builders => {
  const { jax } = runner;
  const { numpy: np } = jax;
  const zeros = (like: JaxArray): JaxArray => np.zeros(like.shape);
  return {
    adam: async ({ each }, inputs) => {
      const parameters = inputs.parameters.map((p) => runner.array(p, [each]));
      const gradients = inputs.gradients.map((g) => runner.array(g, [each]));
      let state = parameters.flatMap((p) => [p, zeros(p), zeros(p)]);
      const step = jax.jit((...given: JaxArray[]) => {
        const [both, ...rest] = given;
        if (!both) throw new Error("jax: the corrections come first");
        const [rate, scale] = split(jax, both);
        const count = gradients.length;
        const next = gradients.flatMap((_, i) => {
          const [g, p, m, v] = [rest[i], ...rest.slice(count + 3 * i, count + 3 * i + 3)];
          return g && p && m && v ? updated(jax, [p, m, v], g, [rate.ref, scale.ref]) : [];
        });
        rate.dispose();
        scale.dispose();
        return next;
      });
      let t = 0;
      return runner.work(
        () => {
          const result = step(corrections(jax, ++t), ...gradients.map((g) => g.ref), ...state);
          state = [...runner.list(result)];
          return state;
        },
        async () => joinedArrays(await Promise.all(state.filter((_, i) => i % 3 === 0).map((p) => p.ref.data()))),
      );
    },
    mlpStep: async ({ width, hidden, batch }, inputs) => {
      const [x, target] = [runner.array(inputs.x, [batch, width]), runner.array(inputs.target, [batch, width])];
      const w1 = runner.array(inputs.w1, [width, hidden]);
      const w2 = runner.array(inputs.w2, [hidden, width]);
      const lossOf = (a: JaxArray, b: JaxArray, input: JaxArray, wanted: JaxArray): JaxArray =>
        np.mean(np.square(np.matmul(jax.nn.relu(np.matmul(input, a)), b).sub(wanted)));
      const gradients = jax.valueAndGrad(lossOf, { argnums: [0, 1] });
      const step = jax.jit((...given: JaxArray[]) => {
        const [both, input, wanted, p1, m1, v1, p2, m2, v2] = given;
        if (!both || !input || !wanted || !p1 || !m1 || !v1 || !p2 || !m2 || !v2)
          throw new Error("jax: a training step takes nine arrays");
        const [loss, [g1, g2]] = gradients(p1.ref, p2.ref, input, wanted);
        if (!g1 || !g2) throw new Error("jax: there must be two gradients");
        const [rate, scale] = split(jax, both);
        const first = updated(jax, [p1, m1, v1], g1, [rate.ref, scale.ref]);
        return [loss, ...first, ...updated(jax, [p2, m2, v2], g2, [rate, scale])];
      });
      let state = [w1, zeros(w1), zeros(w1), w2, zeros(w2), zeros(w2)];
      const losses: JaxArray[] = [];
      const last: JaxArray[] = [];
      let t = 0;
      const run = (): readonly JaxArray[] => {
        const [loss, ...next] = runner.list(step(corrections(jax, ++t), x.ref, target.ref, ...state));
        state = next;
        if (loss) losses.push(loss);
        for (const old of losses.splice(2)) last.push(old);
        for (const old of last.splice(0, last.length - 1)) old.dispose();
        return loss ? [loss, ...next] : next;
      };
      return runner.work(run, async () => {
        await runner.submit(run());
        return joinedArrays(await Promise.all(losses.map((loss) => loss.ref.data())));
      });
    },
  };
};
