import { readFileSync } from "node:fs";
import { zeros } from "@omni/core";
import type { Tensor } from "@omni/core";

/**
 * A published state dict as tensors without memory. The list has a line a tensor, name and sizes; `{0-29}` in a name stands for that many
 * blocks.
 */
export function publishedState(file: string): Record<string, Tensor> {
  const text = readFileSync(new URL(`../fixtures/${file}`, import.meta.url), "utf8");
  const lines = text.trim().split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [name = "", sizes = ""] = line.split("\t");
      const shape = sizes.split("x").map(Number);
      return blockNames(name).map((key) => [key, zeros(shape)]);
    }),
  );
}

function blockNames(name: string): string[] {
  const range = /\{(\d+)-(\d+)\}/.exec(name);
  if (!range) return [name];
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: last - first + 1 }, (_, i) => name.replace(range[0], String(first + i)));
}
