/**
 * Draw a sheet of clips to a PNG.
 *
 * npx tsx --conditions=@omni/source packages/puppet/scripts/contact-sheet.node.ts out.png [--first 0] [--count 24]
 *   [--width 240] [--height 240] [--moments 1] [--columns 6] [--magnify 1] [--framing portrait|half|full] [--split train|test]
 *   [--silent]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { contactSheet, framings, openSynthesizer } from "@omni/puppet";
import { encodePng } from "./png.node.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    first: { type: "string", default: "0" },
    count: { type: "string", default: "24" },
    width: { type: "string", default: "240" },
    height: { type: "string", default: "" },
    moments: { type: "string", default: "1" },
    columns: { type: "string", default: "" },
    magnify: { type: "string", default: "1" },
    framing: { type: "string", default: "" },
    split: { type: "string", default: "train" },
    silent: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const file = positionals[0] ?? "contact-sheet.png";
  const framing = framings.find((name) => name === values.framing);
  const seeds = Array.from({ length: Number(values.count) }, (_, i) => Number(values.first) + i);
  const sheet = contactSheet(seeds, {
    width: Number(values.width),
    height: Number(values.height === "" ? values.width : values.height),
    moments: Number(values.moments),
    magnify: Number(values.magnify),
    split: values.split === "test" ? "test" : "train",
    synthesizer: values.silent ? null : await openSynthesizer(),
    ...(values.columns === "" ? {} : { columns: Number(values.columns) }),
    ...(framing === undefined ? {} : { framing }),
  });
  writeFileSync(file, encodePng(sheet));
  process.stdout.write(`${file}: ${sheet.width}×${sheet.height}\n`);
}

await main();
