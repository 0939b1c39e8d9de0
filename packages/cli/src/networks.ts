import { Wav2Vec2Encoder } from "@omni/audio";
import { recogniseLayout, recogniseNetwork, toLayout } from "@omni/core/checkpoint";
import type { Checkpoint, Loadable, NetworkFormat } from "@omni/core/checkpoint";
import { MMDiT, Sd3Transformer, WanDit } from "@omni/dit";
import { Denoiser } from "@omni/human";
import { T5Encoder } from "@omni/text";
import { CausalVae } from "@omni/vae";

/** A public layout by its names. */
export interface LayoutName {
  /** For `--to`, such as `wan2.1-dit`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
}

/** What a checkpoint turned out to be. */
export interface KnownFile {
  /** What files of ours say under `model`. */
  readonly model: string;
  readonly config: unknown;
  /** The public layout; null for a file of ours. */
  readonly layout: LayoutName | null;
  /** Under our names. */
  readonly checkpoint: Checkpoint;
  /** Tensors of the file that the network has no use for. */
  readonly unused: readonly string[];
}

/** A network that files can hold. */
export interface Network {
  readonly model: string;
  readonly layouts: readonly LayoutName[];
  /** Null where the file holds something else. @throws CheckpointError or ConfigError where it does and does not fit */
  readonly recognise: (file: Checkpoint) => KnownFile | null;
  /** A file of ours under a layout's names. @throws CheckpointError */
  readonly exported: (ours: Checkpoint, config: unknown, layout: string) => Checkpoint;
}

function network<C, M extends Loadable>(format: NetworkFormat<C, M>): Network {
  const { model, layouts } = format;
  return {
    model,
    layouts: layouts.map(({ name, title }) => ({ name, title })),
    recognise: (file) => {
      const isOurs = file.metadata["model"] === model;
      const names = Object.keys(file.tensors);
      if (!isOurs && !recogniseLayout(file, layouts)) return null;
      const { config, layout, checkpoint } = recogniseNetwork(file, format);
      const kept = layout?.spelling?.(new Set(names));
      return { model, config, layout, checkpoint, unused: kept ? names.filter((name) => kept(name) === null) : [] };
    },
    exported: (ours, config, name) => {
      const layout = layouts.find((candidate) => candidate.name === name);
      if (!layout) throw new Error(`${model} must have the layout ${name}`);
      return toLayout(ours, layout, format.parse(JSON.parse(JSON.stringify(config))));
    },
  };
}

/** All networks that have files. */
export const networks: readonly Network[] = [
  network(CausalVae.format),
  network(Wav2Vec2Encoder.format),
  network(T5Encoder.format),
  network(MMDiT.format),
  network(WanDit.format),
  network(Sd3Transformer.format),
  network(Denoiser.format),
];

/** What an open checkpoint holds, or null where no network of ours knows it. */
export function recogniseFile(file: Checkpoint): KnownFile | null {
  for (const { recognise } of networks) {
    const known = recognise(file);
    if (known) return known;
  }
  return null;
}

/** The network whose files a layout's are. */
export const networkOfLayout = (name: string): Network | undefined =>
  networks.find(({ layouts }) => layouts.some((layout) => layout.name === name));
