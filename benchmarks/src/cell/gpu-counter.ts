/** What one run asked of WebGPU. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly buffers: number;
  readonly bindGroups: number;
  readonly pipelines: number;
}

/** What a contender asks of WebGPU. */
export interface GpuUse {
  /** Of one steady run. */
  readonly counts: GpuCounts;
  /** Most bytes that lay in buffers at once. */
  readonly peakBytes: number;
}

type Counts = { -readonly [K in keyof GpuCounts]: number };

const none = (): Counts => ({ dispatches: 0, submits: 0, buffers: 0, bindGroups: 0, pipelines: 0 });

/** Counts the calls of a WebGPU device from outside: nothing that is measured knows of it. */
export class GpuCounter {
  #counts = none();
  #bytes = 0;
  #peak = 0;

  constructor(gpu: GPUDevice) {
    before(gpu, "createBindGroup", () => this.#counts.bindGroups++);
    before(gpu, "createComputePipeline", () => this.#counts.pipelines++);
    before(gpu, "createComputePipelineAsync", () => this.#counts.pipelines++);
    before(gpu.queue, "submit", () => this.#counts.submits++);
    after(gpu, "createBuffer", (buffer) => {
      const { size } = buffer;
      this.#counts.buffers++;
      this.#bytes += size;
      this.#peak = Math.max(this.#peak, this.#bytes);
      let alive = true;
      before(buffer, "destroy", () => {
        if (alive) this.#bytes -= size;
        alive = false;
      });
    });
    after(gpu, "createCommandEncoder", (encoder) => {
      after(encoder, "beginComputePass", (pass) => {
        before(pass, "dispatchWorkgroups", () => this.#counts.dispatches++);
      });
    });
  }

  /** Counts since the last call. */
  take(): GpuCounts {
    const counts = this.#counts;
    this.#counts = none();
    return counts;
  }

  /** Most bytes that lay in buffers at once. */
  get peakBytes(): number {
    return this.#peak;
  }
}

type Method<T, K extends keyof T> = T[K] extends (...args: infer A) => infer R ? (...args: A) => R : never;

/** Has something seen after a method's every call. */
function after<T extends object, K extends keyof T>(
  target: T,
  name: K,
  see: (result: ReturnType<Method<T, K>>) => void,
): void {
  const method = target[name] as (...args: unknown[]) => ReturnType<Method<T, K>>; // K names a method
  Object.defineProperty(target, name, {
    configurable: true,
    value: (...args: unknown[]) => {
      const result = method.apply(target, args);
      see(result);
      return result;
    },
  });
}

/** Has something seen at a method's every call. */
const before = <T extends object, K extends keyof T>(target: T, name: K, see: () => void): void =>
  after(target, name, () => see());
