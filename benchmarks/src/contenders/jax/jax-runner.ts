import type { Work } from "../contender.ts";
import { joinedArrays } from "../layouts.ts";
import type { Jax, JaxArray } from "./jax-api.ts";

/** Runs jax-js on its WebGPU device. */
export class JaxRunner {
  readonly jax: Jax;

  constructor(jax: Jax) {
    this.jax = jax;
  }

  array(values: Float32Array, shape: readonly number[]): JaxArray {
    return this.jax.numpy.array(values).reshape(shape);
  }

  /** What a jitted function gives, as a list. */
  list(result: JaxArray | readonly JaxArray[]): readonly JaxArray[] {
    return "ref" in result ? [result] : result;
  }

  /** Has arrays computed, without waiting for it: `blockUntilReady` would poll meanwhile. */
  async submit(arrays: readonly JaxArray[]): Promise<void> {
    for (const y of arrays) await y.ref.gpuBuffer();
  }

  /** Work that submits what `run` gives. */
  work(run: () => readonly JaxArray[], answer: Work["answer"]): Work {
    return {
      start: () => this.submit(run()),
      finish: () =>
        this.jax
          .getWebGPUDevice()
          .queue.onSubmittedWorkDone()
          .then(() => undefined),
      answer,
    };
  }

  /** Work that computes arrays anew and lets go of those before. */
  computing(
    compute: () => JaxArray | readonly JaxArray[],
    layout: (values: readonly Float32Array[]) => ArrayLike<number> = joinedArrays,
  ): Work {
    let results: readonly JaxArray[] = [];
    const run = (): readonly JaxArray[] => {
      for (const old of results) old.dispose();
      results = this.list(compute());
      return results;
    };
    return this.work(run, async () => layout(await Promise.all(results.map((y) => y.ref.data()))));
  }
}
