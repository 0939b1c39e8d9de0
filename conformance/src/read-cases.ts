import { readSafetensors } from "@omni/core/checkpoint";
import { detValues, sizeOf } from "./det.ts";
import type { Case, CaseFiles, CaseInput, LoadedCase, StoredValues } from "./types.ts";

export interface SetManifest {
  readonly groups: readonly { readonly group: string; readonly manifest: string; readonly n: number }[];
}

export interface GroupManifest {
  readonly group: string;
  readonly n_cases?: number;
  readonly cases?: readonly Case[];
}

type Tensors = ReadonlyMap<string, StoredValues>;

/** All tensors of a data file, by name. */
async function readAll(files: CaseFiles, path: string): Promise<Tensors> {
  const { tensors } = await readSafetensors(await files.bytes(path));
  const all = new Map<string, StoredValues>();
  for (const [name, stored] of Object.entries(tensors)) {
    const { shape } = stored;
    if (stored.dtype === "F64") {
      const bits = await stored.stored();
      all.set(name, { shape, data: Float64Array.from(bits as Float64Array) });
    } else all.set(name, { shape, data: (await stored.data()) as Float32Array | Int32Array });
  }
  return all;
}

/** Loads cases' tensors; the files of the last few cases are kept, since neighbours share them. */
export class CaseReader {
  readonly #files: CaseFiles;
  readonly #open = new Map<string, Tensors>();

  constructor(files: CaseFiles) {
    this.#files = files;
  }

  async #tensors(path: string): Promise<Tensors> {
    const known = this.#open.get(path);
    if (known) return known;
    const read = await readAll(this.#files, path);
    if (this.#open.size > 8) this.#open.clear();
    this.#open.set(path, read);
    return read;
  }

  async load(group: string, one: Case): Promise<LoadedCase> {
    const files = await Promise.all(one.files.map((file) => this.#tensors(file)));
    const values = (name: string): StoredValues => {
      const key = `${one.id}/${name}`;
      const found = files.find((tensors) => tensors.has(key))?.get(key);
      if (!found) throw new Error(`${group}: ${one.files.join(", ")} must hold "${key}"`);
      return found;
    };
    const inputValues = ({ name, tensor, det, shape }: CaseInput): StoredValues => {
      if (det) return { shape, data: detValues(det, sizeOf(shape)) };
      return values(tensor ?? name);
    };
    return { ...one, values, inputValues };
  }
}
