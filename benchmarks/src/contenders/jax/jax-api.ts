/** The part of jax-js 0.1 that is used here: it is installed apart from the workspace, and its types with it. */
export interface JaxArray {
  /** The array with one reference more: every function takes one away from each argument. */
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  /** Submits what the array depends on. */
  gpuBuffer(): Promise<GPUBuffer>;
  dispose(): void;
  reshape(shape: readonly number[]): JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
}

type Tree = JaxArray | readonly JaxArray[];
type Function = (...args: JaxArray[]) => Tree;
interface ReduceOptions {
  readonly keepdims?: boolean;
}

export interface Jax {
  readonly init: (...devices: readonly string[]) => Promise<readonly string[]>;
  readonly defaultDevice: (device: string) => string;
  readonly blockUntilReady: (x: Tree) => Promise<Tree>;
  readonly getWebGPUDevice: () => GPUDevice;
  readonly jit: <F extends Function>(f: F) => F;
  readonly grad: (f: (...args: JaxArray[]) => JaxArray, options?: { readonly argnums: readonly number[] }) => Function;
  readonly valueAndGrad: (
    f: (...args: JaxArray[]) => JaxArray,
    options?: { readonly argnums: readonly number[] },
  ) => (...args: JaxArray[]) => readonly [JaxArray, readonly JaxArray[]];
  readonly numpy: {
    readonly array: (values: Float32Array) => JaxArray;
    readonly matmul: (a: JaxArray, b: JaxArray) => JaxArray;
    readonly mean: (x: JaxArray, axis?: number | null, options?: ReduceOptions) => JaxArray;
    readonly sum: (x: JaxArray) => JaxArray;
    readonly square: (x: JaxArray) => JaxArray;
    readonly sqrt: (x: JaxArray) => JaxArray;
    readonly split: (x: JaxArray, parts: number) => readonly JaxArray[];
    readonly zeros: (shape: readonly number[]) => JaxArray;
  };
  readonly nn: {
    readonly softmax: (x: JaxArray, axis: number) => JaxArray;
    readonly relu: (x: JaxArray) => JaxArray;
    readonly gelu: (x: JaxArray, options: { readonly approximate: boolean }) => JaxArray;
    readonly standardize: (x: JaxArray, axis: number, options: { readonly epsilon: number }) => JaxArray;
    readonly dotProductAttention: (q: JaxArray, k: JaxArray, v: JaxArray) => JaxArray;
  };
  readonly lax: {
    readonly convGeneralDilated: (
      x: JaxArray,
      weight: JaxArray,
      strides: readonly number[],
      padding: readonly (readonly [number, number])[],
    ) => JaxArray;
  };
}
