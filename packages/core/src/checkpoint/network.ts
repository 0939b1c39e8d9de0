import { Module } from "../nn/module.ts";
import { quantizeLinear } from "../nn/quantize.ts";
import { checkpointError, quote } from "./checkpoint-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { fromLayout, type KeyLayout, spelled } from "./layout.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import type { ByteInput } from "./open-source.ts";
import { type Loadable, type LoadOptions, loadState } from "./state.ts";

/** What a file of a network says and how it is built from it. */
export interface NetworkFormat<C, M extends Loadable> {
  /** What files of ours say in their metadata under `model`. */
  readonly model: string;
  /** The config out of the metadata's JSON. @throws an error that names the field */
  readonly parse: (json: unknown) => C;
  /** A network of that config; its parameters may be lazy and are then without memory. */
  readonly build: (config: C) => M;
  /** Layouts of others that it can be read from and written to. */
  readonly layouts: readonly KeyLayout<C>[];
}

/** How a network is loaded. */
export interface NetworkOptions<C> extends LoadOptions {
  /** Where the file does not tell it, or to load into another. */
  readonly config?: C;
  /**
   * What becomes of linear layers whose weights are int8 in the file: `"keep"` has them on the device in 8 bits, for use alone (`quantizeLinear`);
   * `"widen"` makes them numbers like all others, which can be trained and saved. Default `"widen"`.
   */
  readonly int8?: "keep" | "widen";
}

/** A checkpoint that a network can be loaded from. */
export interface RecognisedNetwork<C, M extends Loadable> {
  /** The config that the file tells. */
  readonly config: C;
  /** The network, not loaded. */
  readonly network: M;
  /** Under the network's own names. */
  readonly checkpoint: Checkpoint;
  /** The public layout it is of; null for a file of ours. */
  readonly layout: KeyLayout<C> | null;
}

/** The metadata of a file of ours. */
export function networkMetadata<C>(
  format: Pick<NetworkFormat<C, Loadable>, "model">,
  config: C,
): Record<string, string> {
  return { model: format.model, config: JSON.stringify(config) };
}

/** The layout that an open file is of, or undefined. */
export function recogniseLayout<C>(checkpoint: Checkpoint, layouts: readonly KeyLayout<C>[]): KeyLayout<C> | undefined {
  return layouts.find((layout) => layout.matches(spelled(checkpoint.tensors, layout)));
}

/**
 * Finds out how an open checkpoint holds a network: as a file of ours, or in a public layout.
 *
 * @throws CheckpointError when it holds another network, or names and shapes do not fit
 */
export function recogniseNetwork<C, M extends Loadable>(
  checkpoint: Checkpoint,
  format: NetworkFormat<C, M>,
  { config, partial = false }: Pick<NetworkOptions<C>, "config" | "partial"> = {},
): RecognisedNetwork<C, M> {
  const { metadata, tensors } = checkpoint;
  if (metadata["model"] === format.model) {
    const own = config ?? format.parse(configOf(checkpoint));
    return { config: own, network: format.build(own), checkpoint, layout: null };
  }
  const layout = recogniseLayout(checkpoint, format.layouts);
  if (!layout) throw wrongNetwork(checkpoint, format);
  const told = config ?? layout.config(spelled(tensors, layout));
  const network = format.build(told);
  const view = fromLayout(checkpoint, layout, told, Object.fromEntries(network.namedParameters()), { partial });
  return { config: told, network, checkpoint: view.checkpoint, layout };
}

/**
 * Builds the network that a checkpoint describes and loads its weights: a file of ours, whose config travels with it, or one in a public
 * layout, whose shapes tell it. Names and shapes are compared first.
 *
 * @throws CheckpointError when the file holds another network, a name is missing, unexpected or misshaped, or reading fails
 */
export async function loadNetwork<C, M extends Loadable>(
  source: ByteInput,
  format: NetworkFormat<C, M>,
  options: NetworkOptions<C> = {},
): Promise<M> {
  const { config, int8 = "widen", ...loadOptions } = options;
  const file = await openCheckpoint(source, loadOptions);
  try {
    const { partial = false } = options;
    const found = recogniseNetwork(file, format, { partial, ...(config !== undefined && { config }) });
    const { network, checkpoint } = found;
    await loadState(network, checkpoint, loadOptions, async (names) => {
      if (int8 === "keep" && network instanceof Module) await narrow(network, checkpoint, names);
    });
    return network;
  } finally {
    await file.close();
  }
}

/**
 * Linear layers among `names` that are int8 in the file get 8-bit weights again: the same whole numbers, where a row's largest is 127, as in the files of
 * `convertedTensors`.
 */
async function narrow(network: Module, { tensors }: Checkpoint, names: readonly string[]): Promise<void> {
  const wanted = new Set(names.filter((name) => tensors[name]?.int8));
  await quantizeLinear(network, (path) => wanted.has(`${path}.weight`));
}

/** The config in the metadata, parsed. @throws CheckpointError */
export function configOf({ metadata }: Pick<Checkpoint, "metadata">): unknown {
  try {
    return JSON.parse(metadata["config"] ?? "");
  } catch (cause) {
    throw checkpointError({
      source: "checkpoint",
      rule: "its config must be JSON",
      got: quote(metadata["config"] ?? ""),
      remedy: "save it again",
      cause,
    });
  }
}

function wrongNetwork<C>(
  { tensors, metadata }: Checkpoint,
  { model, layouts }: Pick<NetworkFormat<C, Loadable>, "model" | "layouts">,
): Error {
  const names = Object.keys(tensors);
  const shown = names.slice(0, 3).map(quote).join(", ");
  const said = metadata["model"];
  return checkpointError({
    source: "checkpoint",
    rule: `the file must hold an ${model} model${layouts.map(({ title }) => `, or ${title}`).join("")}`,
    got: said === undefined ? `${names.length} tensors of another network (${shown}, …)` : quote(said),
    remedy: "choose the right file, or look into it with `omni inspect`",
  });
}
