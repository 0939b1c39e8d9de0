import type { StoredTensor } from "./stored-tensor.ts";

/**
 * An open checkpoint, whatever its format. The records have no prototype: `"__proto__"` and `"constructor"` are names like others.
 */
export interface Checkpoint {
  /** By name; nothing has been read of them. */
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** Text beside the tensors; of a PyTorch file its plain values as text, under dotted paths such as `args.lr`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Closes the file behind it. */
  close(): Promise<void>;
}
