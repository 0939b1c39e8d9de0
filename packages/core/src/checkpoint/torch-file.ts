import type { PickleValue } from "./pickle-value.ts";

/** A file of torch.save, its pickle read and its storages found, of either layout. */
export interface TorchFile {
  readonly root: PickleValue;
  /** Where the bytes of a storage begin in the file; reads what stands in front of them and checks it. */
  readonly locate: (key: string) => Promise<number>;
}

/** A pickle of checkpoints is a list of names and shapes: of 40,000 tensors, some 10 MB. */
export const MAX_PICKLE_BYTES = 32 << 20;

export const TORCH_DAMAGED = "the file is damaged, download or save it again with torch.save(model.state_dict(), path)";
