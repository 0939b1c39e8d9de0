export { CheckpointError } from "../base/errors.ts";
export { blobSource, type ByteSource, bytesSource } from "./byte-source.ts";
export type { Checkpoint } from "./checkpoint.ts";
export type { DownloadProgress, HubOptions } from "./hub-request.ts";
export { type KeyMismatch, KeyMismatchError, type Misshaped } from "./key-mismatch.ts";
export {
  channelsFirst,
  type Join,
  type KeyRule,
  type KeySource,
  keySources,
  patches,
  rows,
  shaped,
  squeezed,
  swapped,
  table,
} from "./key-rules.ts";
export {
  fromLayout,
  type KeyLayout,
  layerCount,
  type LayoutView,
  type NamedShapes,
  sizeAt,
  spelled,
  toLayout,
} from "./layout.ts";
export {
  configOf,
  loadNetwork,
  type NetworkFormat,
  networkMetadata,
  type NetworkOptions,
  recogniseLayout,
  type RecognisedNetwork,
  recogniseNetwork,
} from "./network.ts";
export { openCheckpoint, type OpenOptions } from "./open-checkpoint.ts";
export { type ByteInput, openSource } from "./open-source.ts";
export { readTorch } from "./read-torch.ts";
export { readSafetensors } from "./safetensors.ts";
export {
  floatBytes,
  type StoredSource,
  streamSafetensors,
  streamStored,
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
export { dequantised, SCALE_SUFFIX } from "./dequantised.ts";
export { writeFileAtomic } from "./file.node.ts";
export { isFloating, type StoredArray, type StoredDType, storedItemBytes } from "./stored-dtype.ts";
export { convertedTensors, type ConvertedDType } from "./converted.ts";
export { planShards, type Shard } from "./shards.ts";
export type { NumericArrays, StoredTensor } from "./stored-tensor.ts";
export { openUrl, type UrlOptions } from "./url-source.ts";
