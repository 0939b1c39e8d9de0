import type { ConvertedDType } from "@omni/core/checkpoint";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { note, print } from "../context.ts";
import { convert, layoutNames } from "../convert.ts";
import { fileSize } from "../options.ts";
import { Progress } from "../progress.ts";
import { bytesText } from "../text-table.ts";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly dtype?: ConvertedDType;
  readonly maxShardSize?: number;
}

const DTYPES = ["f32", "f16", "bf16", "int8"] as const satisfies readonly ConvertedDType[];

const help = `
Layouts:
  omni                   ours; the config travels in the file, so that load() needs nothing else
  keep                   whatever names the source has: its types or its files change alone
  ${layoutNames.slice(2).join(", ")}
                         public ones; the source's own is recognised by its names

Examples:
  omni convert Wan2.1_VAE.pth vae.safetensors --dtype f16               a public file becomes ours
  omni convert wan-1.3b/ dit.safetensors --dtype int8                   a folder of shards
  omni convert dit.safetensors out/ --to wan2.1-dit-diffusers           ours becomes a public one again
  omni convert big.safetensors out/ --to keep --max-shard-size 5GB      one file becomes several with their index
  omni convert hf://facebook/wav2vec2-base-960h audio.safetensors       straight from the hub

int8 stores each large weight matrix by rows: codes q under its name, scales s under NAME_scale, w = s · q (as in
compressed-tensors' files). Loading gives the numbers back. Memory stays at a few MiB whatever the size.`;

/** `omni convert`: a checkpoint under other names, in other types, in other files. */
export function convertCommand(context: Context): Command {
  return new Command("convert")
    .description("turn a checkpoint into another layout, element type or number of files")
    .argument("<source>", "a file, folder, index.json, URL or hf://owner/name/path")
    .argument("<out>", "a .safetensors file, or a folder")
    .addOption(new Option("--from <layout>", "what the source must be; default: whichever it is").choices(layoutNames))
    .addOption(new Option("--to <layout>", "default: omni for a public file, else as it is").choices(layoutNames))
    .addOption(new Option("--dtype <type>", "how floats are stored; default: as they are").choices(DTYPES))
    .option("--max-shard-size <size>", "such as 5GB or 500MB; default: one file", fileSize)
    .addHelpText("after", help)
    .action(async (source: string, out: string, { from, to, dtype, maxShardSize }: Options) => {
      const progress = new Progress(context, "converting");
      const made = await convert({
        source,
        out,
        from: from ?? null,
        to: to ?? null,
        dtype: dtype ?? null,
        maxShardBytes: maxShardSize ?? Number.POSITIVE_INFINITY,
        signal: context.signal,
        onProgress: (fraction, detail) => progress.update(fraction, detail),
      }).finally(() => progress.stop());
      const { files, tensors, bytes, unused } = made;
      if (unused.length > 0)
        note(context, `left out, of no use to the network: ${unused.length} tensors, such as ${unused[0]}`);
      const where = files.length === 1 ? "1 file" : `${files.length} files and their index`;
      print(context, `${out}: ${made.from} → ${made.to}, ${tensors} tensors, ${bytesText(bytes)}, ${where}`);
    });
}
