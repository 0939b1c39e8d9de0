import { NORM_EPS } from "../../ops/rows.ts";
import { ADAM } from "../../ops/training.ts";
import type { Builders, Started, Work } from "../contender.ts";
import { channelsFirst, joinedArrays } from "../layouts.ts";
import type { PeerModules } from "../peer-modules.ts";
import { tfConvolution } from "./convolution.ts";
import type { Tf, TfTensor } from "./tfjs-api.ts";

export type TfBackend = "webgpu" | "wasm";

/** Runs on one backend of several in this process. */
export class TfRunner {
  readonly tf: Tf;
  readonly backend: TfBackend;

  constructor(tf: Tf, backend: TfBackend) {
    this.tf = tf;
    this.backend = backend;
  }

  /** The bookends of every work: the right backend before, everything submitted at the start's end, the device's answer. */
  work(run: () => void, answer: Work["answer"]): Work {
    const { tf } = this;
    return {
      before: () => this.select(),
      start: () => {
        run();
        // as a read would do, without its wait
        const backend = tf.backend();
        if (!backend.commandEncoder) return;
        backend.endComputePassEncoder?.();
        backend.submitQueue?.();
      },
      finish: async () => {
        await tf.backend().queue?.onSubmittedWorkDone();
      },
      answer,
    };
  }

  async select(): Promise<void> {
    await this.tf.setBackend(this.backend);
  }

  /** Work that computes tensors anew and lets go of those before. */
  computing(
    compute: () => TfTensor[],
    layout: (values: readonly Float32Array[]) => ArrayLike<number> = joinedArrays,
  ): Work {
    let results: TfTensor[] = [];
    const run = (): void => {
      for (const old of results) old.dispose();
      results = this.tf.tidy(compute);
    };
    return this.work(run, async () => layout(await Promise.all(results.map((y) => y.data()))));
  }
}

/** softmax(q·kᵀ/√D)·v, as there is no attention in the library. */
const attend = (tf: Tf, [q, k, v]: readonly [TfTensor, TfTensor, TfTensor], headDim: number): TfTensor =>
  tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(headDim)), -1), v);

const builders = (runner: TfRunner): Builders => {
  const { tf } = runner;
  /** (x − mean) / √(variance + ε) over some axes. */
  const standardised = (x: TfTensor, axes: readonly number[]): TfTensor => {
    const centred = tf.sub(x, tf.mean(x, axes, true));
    return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), NORM_EPS)));
  };
  return {
    matmul: async ({ batch, m, k, n }, inputs) => {
      const [a, b] = [tf.tensor(inputs.a, [batch, m, k]), tf.tensor(inputs.b, [batch, k, n])];
      return runner.computing(() => [tf.matMul(a, b)]);
    },
    softmax: async ({ rows, columns }, inputs) => {
      const x = tf.tensor(inputs.x, [rows, columns]);
      return runner.computing(() => [tf.softmax(x, -1)]);
    },
    layerNorm: async ({ rows, columns }, inputs) => {
      const x = tf.tensor(inputs.x, [rows, columns]);
      const [weight, bias] = [tf.tensor(inputs.weight, [columns]), tf.tensor(inputs.bias, [columns])];
      return runner.computing(() => [tf.add(tf.mul(standardised(x, [1]), weight), bias)]);
    },
    rmsNorm: async ({ rows, columns }, inputs) => {
      const x = tf.tensor(inputs.x, [rows, columns]);
      const weight = tf.tensor(inputs.weight, [columns]);
      return runner.computing(() => {
        const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), [1], true), NORM_EPS));
        return [tf.mul(tf.mul(x, scale), weight)];
      });
    },
    groupNorm: async ({ batch, channels, height, width, groups }, inputs) => {
      const x = tf.tensor(inputs.x, [batch * groups, (channels / groups) * height * width]);
      const shape = [batch, channels, height * width];
      const [weight, bias] = [tf.tensor(inputs.weight, [channels, 1]), tf.tensor(inputs.bias, [channels, 1])];
      return runner.computing(() => [tf.add(tf.mul(tf.reshape(standardised(x, [1]), shape), weight), bias)]);
    },
    attention: async ({ heads, tokens, headDim }, inputs) => {
      const shape = [heads, tokens, headDim];
      const given = [tf.tensor(inputs.q, shape), tf.tensor(inputs.k, shape), tf.tensor(inputs.v, shape)] as const;
      return runner.computing(() => [attend(tf, given, headDim)]);
    },
    attentionBackward: async ({ heads, tokens, headDim }, inputs) => {
      const shape = [heads, tokens, headDim];
      const given = [tf.tensor(inputs.q, shape), tf.tensor(inputs.k, shape), tf.tensor(inputs.v, shape)] as const;
      const gradient = tf.tensor(inputs.gradient, shape);
      const gradients = tf.grads((...x) => {
        const [q, k, v] = x as [TfTensor, TfTensor, TfTensor]; // as many as are given below
        return tf.sum(tf.mul(attend(tf, [q, k, v], headDim), gradient));
      });
      return runner.computing(() => gradients(given));
    },
    convolution: async (spec, inputs) => {
      const { out, size } = spec;
      const compute = tfConvolution(tf, spec, inputs);
      return runner.computing(
        () => [compute()],
        ([values = new Float32Array(0)]) => channelsFirst(values, [1, ...size, out]),
      );
    },
    addGelu: async ({ length }, inputs) => {
      const [a, b] = [tf.tensor(inputs.a, [length]), tf.tensor(inputs.b, [length])];
      return runner.computing(() => {
        const x = tf.add(a, b);
        const cubic = tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715));
        return [tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(cubic, Math.sqrt(2 / Math.PI))), 1))];
      });
    },
    sum: async ({ length }, inputs) => {
      const x = tf.tensor(inputs.x, [length]);
      return runner.computing(() => [tf.sum(x)]);
    },
    adam: async ({ each }, inputs) => {
      const variables = inputs.parameters.map((p, i) =>
        tf.variable(tf.tensor(p, [each]), true, `${runner.backend}-${i}`),
      );
      const gradients = Object.fromEntries(
        inputs.gradients.map((g, i) => [`${runner.backend}-${i}`, tf.tensor(g, [each])]),
      );
      const adam = tf.train.adam(ADAM.lr, ADAM.beta1, ADAM.beta2, ADAM.eps);
      return runner.work(
        () => tf.tidy(() => adam.applyGradients(gradients)),
        async () => joinedArrays(await Promise.all(variables.map((v) => v.data()))),
      );
    },
    mlpStep: async ({ width, hidden, batch }, inputs) => {
      const [x, target] = [tf.tensor(inputs.x, [batch, width]), tf.tensor(inputs.target, [batch, width])];
      const w1 = tf.variable(tf.tensor(inputs.w1, [width, hidden]), true, `${runner.backend}-w1`);
      const w2 = tf.variable(tf.tensor(inputs.w2, [hidden, width]), true, `${runner.backend}-w2`);
      const adam = tf.train.adam(ADAM.lr, ADAM.beta1, ADAM.beta2, ADAM.eps);
      const losses: TfTensor[] = [];
      const step = (): void => {
        const predict = (): TfTensor => tf.matMul(tf.relu(tf.matMul(x, w1)), w2);
        const loss = adam.minimize(() => tf.mean(tf.square(tf.sub(predict(), target))), true, [w1, w2]);
        if (loss && losses.length < 2) losses.push(loss);
        else loss?.dispose();
      };
      return runner.work(step, async () => {
        step();
        return joinedArrays(await Promise.all(losses.map((loss) => loss.data())));
      });
    },
  };
};

/** TensorFlow.js on one of its backends. @throws Error when the backend does not start */
export async function startTfjs(modules: PeerModules, backend: TfBackend): Promise<Started> {
  const tf = (await modules.load("tfjs")) as Tf; // see tfjs-api.ts
  if (backend === "wasm") tf.setWasmPaths(modules.wasm);
  if (!(await tf.setBackend(backend)))
    throw new Error(`tfjs: its ${backend} backend must start, but it gave no reason`);
  const runner = new TfRunner(tf, backend);
  const made = builders(runner);
  const selecting = Object.fromEntries(
    Object.entries(made).map(([kind, build]) => [
      kind,
      async (...args: never[]) => {
        await runner.select();
        return (build as (...given: never[]) => Promise<Work>)(...args);
      },
    ]),
  );
  return { version: modules.versions.tfjs, builders: selecting as Builders }; // the same kinds, each on its backend
}
