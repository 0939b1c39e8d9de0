/** The set does not hold the file asked for. */
export class MissingFile extends Error {
  constructor(path: string) {
    super(`conformance: ${path} must be in the set`);
  }
}

/** Files of one group, by paths relative to the set's folder. */
export interface CaseFiles {
  /** @throws MissingFile when the file is not there */
  bytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  text(path: string): Promise<string>;
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** A formula that gives a large tensor's values: see det.ts. */
export interface Det {
  readonly name: string;
  readonly seed: number;
  readonly lo: number;
  readonly hi: number;
}

export interface MovementStep {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface CaseInput {
  readonly name: string;
  readonly dtype: "f32" | "i32" | "bool";
  readonly shape: readonly number[];
  readonly tensor?: string;
  readonly det?: Det;
  readonly view?: readonly MovementStep[];
  readonly requires_grad?: boolean;
}

export interface CaseOutput {
  readonly name?: string;
  readonly dtype: "f32" | "i32" | "bool";
  readonly shape: readonly number[];
  readonly tensor: string;
  readonly tol: Tolerance;
  readonly grad_output?: string;
  readonly grad_output_det?: Det;
  readonly sample_stride?: number;
  /** Start and end of the stored part of the flattened tensor. */
  readonly slice_flat?: readonly [number, number];
}

export interface CaseGrad {
  readonly input?: number | string;
  readonly param?: string;
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly tol: Tolerance;
  readonly sample_stride?: number;
}

/** Weights by a formula, or those of another case of the group. */
export type WeightsDet =
  | { readonly same_as: string }
  | {
      readonly seed: number;
      readonly params: readonly (readonly [key: string, shape: readonly number[], lo: number, hi: number])[];
    };

/** One case of a group: see the format's own description. */
export interface Case {
  readonly id: string;
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  readonly note?: string;
  readonly files: readonly string[];
  readonly inputs: readonly CaseInput[];
  readonly outputs: readonly CaseOutput[];
  readonly grads?: readonly CaseGrad[];
  /** Files of a network's weights, or indexes of such files. */
  readonly weights?: readonly string[];
  readonly weights_det?: WeightsDet;
}

export interface StoredValues {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Float64Array;
}

/** A network's weights by upstream key. */
export type Weights = ReadonlyMap<string, StoredValues>;

/** A case with the tensors that it names. */
export interface LoadedCase extends Case {
  /** @throws Error when the case's files lack the tensor */
  values(name: string): StoredValues;
  /** An input's values, stored or by formula. */
  inputValues(input: CaseInput): StoredValues;
  /** The network's weights; none where the case names none. */
  weightValues(): Promise<Weights>;
}

/** What an executor computed: values in row-major order. */
export interface Computed {
  readonly shape: readonly number[];
  readonly dtype: "f32" | "i32" | "bool";
  readonly data: ArrayLike<number>;
}

export interface CaseAnswer {
  readonly outputs: readonly Computed[];
  /** In the order of the case's `grads`. */
  readonly grads?: readonly Computed[];
}

/** Runs cases of one group. @throws SkippedCase where something is not implemented */
export type Executor = (loaded: LoadedCase) => Promise<CaseAnswer>;

export class SkippedCase extends Error {}

export interface CaseResult {
  readonly id: string;
  readonly op: string;
  readonly args?: unknown;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason?: string;
  /** Largest |difference| / tolerance met; at most 1 where it passed. */
  readonly worst?: number;
  readonly tags?: readonly string[];
}
