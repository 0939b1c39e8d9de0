import { paddingOf } from "../../ops/convolution.ts";
import { NORM_EPS } from "../../ops/rows.ts";
import type { Builders, Started } from "../contender.ts";
import { joinedArrays, permuted } from "../layouts.ts";
import type { PeerModules } from "../peer-modules.ts";
import type { Jax } from "./jax-api.ts";
import { JaxRunner } from "./jax-runner.ts";
import { trainingBuilders } from "./training.ts";

// [1, H, N, D] ↔ [1, N, H, D], the library's order
const SWAPPED = [0, 2, 1, 3];

/** Every op is one jitted function of its inputs. */
const opBuilders = (runner: JaxRunner): Builders => {
  const { jax } = runner;
  const { numpy: np, nn, lax } = jax;
  return {
    matmul: async ({ batch, m, k, n }, inputs) => {
      const lead = batch === 1 ? [] : [batch];
      const [a, b] = [runner.array(inputs.a, [...lead, m, k]), runner.array(inputs.b, [...lead, k, n])];
      const f = jax.jit(np.matmul);
      return runner.computing(() => f(a.ref, b.ref));
    },
    softmax: async ({ rows, columns }, inputs) => {
      const x = runner.array(inputs.x, [rows, columns]);
      const f = jax.jit((given) => nn.softmax(given, -1));
      return runner.computing(() => f(x.ref));
    },
    layerNorm: async ({ rows, columns }, inputs) => {
      const x = runner.array(inputs.x, [rows, columns]);
      const [weight, bias] = [runner.array(inputs.weight, [columns]), runner.array(inputs.bias, [columns])];
      const f = jax.jit((given, w, b) => nn.standardize(given, -1, { epsilon: NORM_EPS }).mul(w).add(b));
      return runner.computing(() => f(x.ref, weight.ref, bias.ref));
    },
    rmsNorm: async ({ rows, columns }, inputs) => {
      const x = runner.array(inputs.x, [rows, columns]);
      const weight = runner.array(inputs.weight, [columns]);
      const f = jax.jit((given, w) => {
        const square = np.mean(np.square(given.ref), -1, { keepdims: true });
        return given.div(np.sqrt(square.add(NORM_EPS))).mul(w);
      });
      return runner.computing(() => f(x.ref, weight.ref));
    },
    groupNorm: async ({ batch, channels, height, width, groups }, inputs) => {
      const x = runner.array(inputs.x, [batch * groups, (channels / groups) * height * width]);
      const [weight, bias] = [runner.array(inputs.weight, [channels, 1]), runner.array(inputs.bias, [channels, 1])];
      const shape = [batch, channels, height * width];
      const f = jax.jit((given, w, b) => nn.standardize(given, -1, { epsilon: NORM_EPS }).reshape(shape).mul(w).add(b));
      return runner.computing(() => f(x.ref, weight.ref, bias.ref));
    },
    attention: async ({ heads, tokens, headDim }, inputs) => {
      const [shape, own] = [
        [1, heads, tokens, headDim],
        [1, tokens, heads, headDim],
      ];
      const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => runner.array(permuted(x, shape, SWAPPED), own));
      const f = jax.jit((a, b, c) => nn.dotProductAttention(a, b, c));
      return runner.computing(
        () => (q && k && v ? f(q.ref, k.ref, v.ref) : []),
        ([y = new Float32Array(0)]) => permuted(y, own, SWAPPED),
      );
    },
    attentionBackward: async ({ heads, tokens, headDim }, inputs) => {
      const [shape, own] = [
        [1, heads, tokens, headDim],
        [1, tokens, heads, headDim],
      ];
      const given = [inputs.q, inputs.k, inputs.v, inputs.gradient].map((x) =>
        runner.array(permuted(x, shape, SWAPPED), own),
      );
      const gradients = jax.grad((q, k, v, g) => np.sum(nn.dotProductAttention(q, k, v).mul(g)), {
        argnums: [0, 1, 2],
      });
      const f = jax.jit(gradients);
      return runner.computing(
        () => f(...given.map((x) => x.ref)),
        (parts) => joinedArrays(parts.map((part) => permuted(part, own, SWAPPED))),
      );
    },
    convolution: async (spec, inputs) => {
      const { channels, out, size, kernel } = spec;
      const x = runner.array(inputs.x, [1, channels, ...size]);
      const weight = runner.array(inputs.weight, [out, channels, ...size.map(() => kernel)]);
      const strides = size.map(() => 1);
      const f = jax.jit((a, w) => lax.convGeneralDilated(a, w, strides, paddingOf(spec)));
      return runner.computing(() => f(x.ref, weight.ref));
    },
    addGelu: async ({ length }, inputs) => {
      const [a, b] = [runner.array(inputs.a, [length]), runner.array(inputs.b, [length])];
      const f = jax.jit((x, y) => nn.gelu(x.add(y), { approximate: true }));
      return runner.computing(() => f(a.ref, b.ref));
    },
    sum: async ({ length }, inputs) => {
      const x = runner.array(inputs.x, [length]);
      const f = jax.jit(np.sum);
      return runner.computing(() => f(x.ref));
    },
  };
};

/** jax-js on WebGPU. @throws Error when it finds no WebGPU */
export async function startJax(modules: PeerModules): Promise<Started> {
  const jax = (await modules.load("jax")) as Jax; // see jax-api.ts
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) throw new Error(`jax: its webgpu device must start, got ${devices.join(", ")}`);
  jax.defaultDevice("webgpu");
  const runner = new JaxRunner(jax);
  return { version: modules.versions.jax, builders: { ...opBuilders(runner), ...trainingBuilders(runner) } };
}
