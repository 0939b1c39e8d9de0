export { CheckpointError } from "../base/errors.ts";
export { blobSource, type ByteSource, bytesSource } from "./byte-source.ts";
export type { Checkpoint } from "./checkpoint.ts";
export { openCheckpoint } from "./open-checkpoint.ts";
export { type ByteInput, openSource } from "./open-source.ts";
export { readTorch } from "./read-torch.ts";
export { readSafetensors } from "./safetensors.ts";
export {
  streamSafetensors,
  type TensorData,
  type TensorSource,
  type WriteOptions,
  writeSafetensors,
} from "./safetensors-writer.ts";
export { renamed } from "./renamed.ts";
export { readSharded } from "./sharded.ts";
export {
  type Loadable,
  type LoadedValue,
  type LoadOptions,
  type LoadResult,
  loadState,
  type Saveable,
  saveState,
  writeCheckpoint,
} from "./state.ts";
export type { StoredArray, StoredDType } from "./stored-dtype.ts";
export type { NumericArrays, StoredTensor } from "./stored-tensor.ts";
export { openUrl, type UrlOptions } from "./url-source.ts";
