import { openCheckpoint } from "@omni/core/checkpoint";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { print } from "../context.ts";

interface Options {
  readonly json?: boolean;
}

/** `omni inspect`: what a safetensors file holds. */
export function inspectCommand(context: Context): Command {
  return new Command("inspect")
    .description("list the tensors and metadata of a safetensors file")
    .argument("<file>", "a .safetensors file or its .index.json")
    .option("--json", "as one JSON object")
    .action(async (file: string, { json = false }: Options) => {
      const checkpoint = await openCheckpoint(file);
      const { tensors, metadata } = checkpoint;
      await checkpoint.close();
      const rows = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
      if (json) return print(context, JSON.stringify({ tensors: rows, metadata }));
      const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
      const width = Math.max(4, ...rows.map(({ name }) => name.length));
      for (const { name, dtype, shape } of rows)
        print(context, `${name.padEnd(width)}  ${dtype}  [${shape.join(", ")}]`);
      const values = rows.reduce((sum, { shape }) => sum + size(shape), 0);
      print(context, `${rows.length} tensors, ${values.toLocaleString("en")} values`);
      for (const [key, value] of Object.entries(metadata)) print(context, `${key}: ${value}`);
    });
}
