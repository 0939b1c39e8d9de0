import { zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * A published state dict as tensors that are never realised, and so take no memory: what a network without weights is compared with.
 *
 * @param list a line a tensor, its name and its sizes (`3x64x64`) after a tab; `{0-29}` in a name stands for that many layers
 */
export function publishedState(list: string): Record<string, Tensor> {
  return Object.fromEntries(
    list
      .trim()
      .split("\n")
      .flatMap((line) => {
        const [name = "", sizes = ""] = line.split("\t");
        return layerNames(name).map((key) => [key, zeros(sizes.split("x").map(Number))]);
      }),
  );
}

function layerNames(name: string): string[] {
  const range = /\{(\d+)-(\d+)\}/.exec(name);
  if (!range) return [name];
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: last - first + 1 }, (_, i) => name.replace(range[0], String(first + i)));
}
