import { readSafetensors } from "@omni/core/checkpoint";
import { detValues, sizeOf } from "./det.ts";
import type { Case, CaseFiles, CaseInput, LoadedCase, StoredValues, Weights } from "./types.ts";

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
  readonly #cases: readonly Case[];
  readonly #open = new Map<string, Tensors>();

  /** @param cases the group's, among which one may refer to another */
  constructor(files: CaseFiles, cases: readonly Case[]) {
    this.#files = files;
    this.#cases = cases;
  }

  async #tensors(path: string): Promise<Tensors> {
    const known = this.#open.get(path);
    if (known) return known;
    const read = await readAll(this.#files, path);
    if (this.#open.size > 8) this.#open.clear();
    this.#open.set(path, read);
    return read;
  }

  async #weights({ id, weights = [], weights_det: det }: Case): Promise<Weights> {
    if (det && "same_as" in det) {
      const other = this.#cases.find((one) => one.id === det.same_as && one.id !== id);
      if (!other) throw new Error(`${id}: the group must hold ${det.same_as}, whose weights it shares`);
      return this.#weights(other);
    }
    if (det)
      return new Map(
        det.params.map(([name, shape, lo, hi]) => {
          const data = detValues({ name, seed: det.seed, lo, hi }, sizeOf(shape));
          return [name, { shape, data }];
        }),
      );
    const files = await Promise.all(weights.map((path) => this.#weightFiles(path)));
    const tensors = await Promise.all([...new Set(files.flat())].map((path) => this.#tensors(path)));
    return new Map(tensors.flatMap((file) => [...file]));
  }

  /** The files that an index lists; a file that is none stands for itself. */
  async #weightFiles(path: string): Promise<string[]> {
    if (!path.endsWith(".index.json")) return [path];
    // the format of sharded checkpoints
    const { weight_map } = JSON.parse(await this.#files.text(path)) as { weight_map: Record<string, string> };
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    return Object.values(weight_map).map((file) => folder + file);
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
    return { ...one, values, inputValues, weightValues: () => this.#weights(one) };
  }
}
