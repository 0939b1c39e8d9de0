/** The part of TensorFlow.js 4.22 that is used here: it is installed apart from the workspace, and its types with it. */
export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** The WebGPU backend, as far as it is used here; the wasm one has none of it. */
export interface TfBackendHandle {
  readonly queue?: GPUQueue;
  /** Open commands, if any. */
  readonly commandEncoder?: GPUCommandEncoder | null;
  endComputePassEncoder?(): void;
  submitQueue?(): void;
}

type Unary = (x: TfTensor) => TfTensor;
type Binary = (a: TfTensor, b: TfTensor | number) => TfTensor;
type Reduction = (x: TfTensor, axis?: readonly number[], keepDims?: boolean) => TfTensor;
type Convolution<S> = (x: TfTensor, weight: TfTensor, stride: S, padding: "same" | "valid") => TfTensor;

export interface TfOptimizer {
  minimize(loss: () => TfTensor, returnCost: boolean, variables: readonly TfTensor[]): TfTensor | null;
  applyGradients(gradients: Readonly<Record<string, TfTensor>>): void;
}

export interface Tf {
  readonly version_core: string;
  readonly setBackend: (name: string) => Promise<boolean>;
  readonly setWasmPaths: (paths: Readonly<Record<string, string>>) => void;
  readonly backend: () => TfBackendHandle;
  readonly tensor: (values: Float32Array, shape: readonly number[]) => TfTensor;
  readonly variable: (initial: TfTensor, trainable: boolean, name: string) => TfTensor;
  readonly tidy: <T>(run: () => T) => T;
  readonly grads: (f: (...x: TfTensor[]) => TfTensor) => (x: readonly TfTensor[]) => TfTensor[];
  readonly train: {
    readonly adam: (lr: number, beta1: number, beta2: number, eps: number) => TfOptimizer;
  };
  readonly matMul: (a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean) => TfTensor;
  readonly softmax: (x: TfTensor, axis: number) => TfTensor;
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly square: Unary;
  readonly rsqrt: Unary;
  readonly tanh: Unary;
  readonly relu: Unary;
  readonly sum: Reduction;
  readonly mean: Reduction;
  readonly reshape: (x: TfTensor, shape: readonly number[]) => TfTensor;
  readonly pad: (x: TfTensor, paddings: readonly (readonly [number, number])[]) => TfTensor;
  readonly conv1d: Convolution<number>;
  readonly conv2d: Convolution<number>;
  readonly conv3d: Convolution<number>;
}
