import { checkpointError, quote } from "./checkpoint-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { checkMatch, compareShapes, type KeyMismatch } from "./key-mismatch.ts";
import { type KeyRule, keySources } from "./key-rules.ts";
import { joinedView, slicedView } from "./stored-view.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** Shapes by name: what a layout is recognised by. */
export type NamedShapes = Readonly<
  Record<
    string,
    {
      /** Sizes of the axes. */
      readonly shape: readonly number[];
    }
  >
>;

/** How a network's tensors are named and shaped in files of others. */
export interface KeyLayout<C> {
  /** Short name, such as `wan2.1-dit`. */
  readonly name: string;
  /** What it is, for people. */
  readonly title: string;
  /** Other spellings of a name → the one that the rules know; null drops what the network has no use for. */
  readonly spelling?: (names: ReadonlySet<string>) => (name: string) => string | null;
  /** Whether a file, spelled so, is of this layout. */
  readonly matches: (shapes: NamedShapes) => boolean;
  /** The config that the shapes tell. @throws CheckpointError where they contradict any */
  readonly config: (shapes: NamedShapes) => C;
  /** Our names → upstream's. */
  readonly rules: (config: C) => readonly KeyRule[];
}

/** A checkpoint's tensors as a layout spells them. */
export function spelled<T>(
  tensors: Readonly<Record<string, T>>,
  layout: Pick<KeyLayout<never>, "spelling">,
): Record<string, T> {
  const spelling = layout.spelling?.(new Set(Object.keys(tensors)));
  const record: Record<string, T> = Object.create(null);
  for (const [name, tensor] of Object.entries(tensors)) {
    const key = spelling ? spelling(name) : name;
    if (key !== null) record[key] = tensor;
  }
  return record;
}

/** A size of a tensor that must be there. @throws CheckpointError where it is not */
export function sizeAt(shapes: NamedShapes, name: string, axis: number): number {
  const size = shapes[name]?.shape.at(axis);
  if (size !== undefined) return size;
  throw checkpointError({
    source: "checkpoint",
    rule: `tensor ${quote(name)} must tell the size of axis ${axis}`,
    got: shapes[name] ? `[${shapes[name].shape.join(", ")}]` : "no such tensor",
    remedy: "download all of the checkpoint, or give the config",
  });
}

/** How many layers there are: one more than the largest number in names of the form of `pattern`, whose first group it is. */
export function layerCount(shapes: NamedShapes, pattern: RegExp): number {
  return Object.keys(shapes).reduce((most, name) => {
    const [, index] = pattern.exec(name) ?? [];
    return index === undefined ? most : Math.max(most, Number(index) + 1);
  }, 0);
}

/** A file of a layout, seen as one of ours. */
export interface LayoutView {
  /** Under our names and in our shapes. */
  readonly checkpoint: Checkpoint;
  /** In upstream's names. */
  readonly mismatch: KeyMismatch;
}

/**
 * A public checkpoint under our names and in our shapes. Nothing is read before its tensors are; what is joined or reordered is so as it is
 * read.
 *
 * @param targets our tensors
 * @param options.partial leaves out what does not fit, instead of refusing it
 * @throws KeyMismatchError listing upstream's names that are missing, unexpected or misshaped
 */
export function fromLayout<C>(
  upstream: Checkpoint,
  layout: KeyLayout<C>,
  config: C,
  targets: NamedShapes,
  { partial = false }: { readonly partial?: boolean } = {},
): LayoutView {
  const held = spelled(upstream.tensors, layout);
  const sources = keySources(Object.keys(targets), layout.rules(config));
  const wanted: Record<string, { readonly shape: readonly number[] }> = Object.create(null);
  for (const [name, { keys, join }] of sources)
    for (const key of keys) wanted[key] = { shape: join.theirs(targets[name]?.shape ?? [], keys.length) };
  const mismatch = compareShapes(wanted, held);
  if (!partial) checkMatch(layout.title, mismatch, `its ${Object.keys(wanted).length} tensors`);
  const misshaped = new Set(mismatch.misshaped.map(({ name }) => name));

  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const [name, { keys, join }] of sources) {
    const parts = keys.flatMap((key) => (misshaped.has(key) ? [] : (held[key] ?? [])));
    if (parts.length < keys.length) continue;
    const shape = targets[name]?.shape ?? [];
    const rows = shape[0] ?? 1;
    const { rowOf } = join;
    tensors[name] = joinedView(parts, { name, shape, ...(rowOf && { rows, rowOf: (row) => rowOf(row, rows) }) });
  }
  return { checkpoint: { tensors, metadata: upstream.metadata, close: () => upstream.close() }, mismatch };
}

/**
 * A checkpoint of ours under upstream's names and in upstream's shapes: the inverse of {@link fromLayout}.
 *
 * @throws CheckpointError when a tensor has no place upstream
 */
export function toLayout<C>(ours: Checkpoint, layout: KeyLayout<C>, config: C): Checkpoint {
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const [name, { keys, join }] of keySources(Object.keys(ours.tensors), layout.rules(config))) {
    const tensor = ours.tensors[name];
    if (!tensor) continue;
    const shape = join.theirs(tensor.shape, keys.length);
    const count = shape.reduce((product, size) => product * size, 1);
    const rows = tensor.shape[0] ?? 1;
    const { rowFrom } = join;
    keys.forEach((key, i) => {
      tensors[key] = rowFrom
        ? joinedView([tensor], { name: key, shape, rows, rowOf: (row) => rowFrom(row, rows) })
        : slicedView(tensor, i * count, { name: key, shape });
    });
  }
  return { tensors, metadata: ours.metadata, close: () => ours.close() };
}
