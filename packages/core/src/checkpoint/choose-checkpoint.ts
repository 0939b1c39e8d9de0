import { checkpointError, quote } from "./checkpoint-error.ts";

const KINDS = [
  /\.safetensors\.index\.json$/,
  /\.safetensors$/,
  /\.(?:bin|pth|pt)\.index\.json$/,
  /\.(?:bin|pth|pt|ckpt)$/,
];

/**
 * The file that stands for a folder's checkpoint: its index, else its one file; safetensors before files of torch.save.
 *
 * @throws CheckpointError when there is none, or several of the best kind
 */
export function chooseCheckpoint(folder: string, names: readonly string[]): string {
  for (const kind of KINDS) {
    const [first, ...more] = names.filter((name) => kind.test(name) && !name.startsWith(".")).sort();
    if (first === undefined) continue;
    if (more.length === 0) return first;
    throw checkpointError({
      source: folder,
      rule: "a folder must hold one checkpoint, or the index of one in several files",
      got: `${more.length + 1} files (${[first, ...more].slice(0, 3).map(quote).join(", ")}${more.length > 2 ? ", …" : ""})`,
      remedy: "give the path of one of them",
    });
  }
  throw checkpointError({
    source: folder,
    rule: "a folder must hold a checkpoint (.safetensors, .pth, .pt, .bin, .ckpt)",
    got: names.length === 0 ? "nothing" : `${names.length} other files`,
    remedy: "give the path of a checkpoint",
  });
}
