import { CheckpointError, tensor, type Tensor } from "@omni/core";
import { openCheckpoint, writeCheckpoint } from "@omni/core/checkpoint";

type Values = { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> };

/** A training run read back from its checkpoint file. */
export class RunState {
  readonly step: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #values: ReadonlyMap<string, Values>;

  private constructor(step: number, metadata: Readonly<Record<string, string>>, values: ReadonlyMap<string, Values>) {
    this.step = step;
    this.metadata = metadata;
    this.#values = values;
  }

  /** @throws CheckpointError when the file is damaged or no training checkpoint */
  static async read(path: string): Promise<RunState> {
    const file = await openCheckpoint(path);
    try {
      const step = Number(file.metadata["step"]);
      if (!Number.isInteger(step))
        throw new CheckpointError(`${path}: must be a training checkpoint with its step; it has none`);
      const values = new Map<string, Values>();
      for (const [name, stored] of Object.entries(file.tensors))
        values.set(name, { shape: stored.shape, data: Float32Array.from(await stored.data("f32")) });
      return new RunState(step, file.metadata, values);
    } finally {
      await file.close();
    }
  }

  /** Values of a group, by the names within it. */
  group(group: string): Record<string, Values> {
    const prefix = `${group}/`;
    return Object.fromEntries(
      [...this.#values].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    );
  }
  tensors(group: string): Record<string, Tensor> {
    return Object.fromEntries(
      Object.entries(this.group(group)).map(([name, v]) => [name, tensor(v.data, { shape: v.shape })]),
    );
  }
}

/** Writes a checkpoint aside and renames it: a kill at any moment leaves the last whole one. */
export async function writeRunState(
  path: string,
  step: number,
  named: Iterable<[string, Tensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const list = [...named];
  await writeCheckpoint(path, { namedParameters: () => list }, { metadata: { ...metadata, step: String(step) } });
}
