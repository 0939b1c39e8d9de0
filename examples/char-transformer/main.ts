/** Trains a character-level transformer on a book, or on files of your own, and lets it write. Arguments: steps, files. */
import { readFileSync } from "node:fs";
import { getDevice } from "@omni/core";
import { train, type Trained } from "./train.ts";
import { write } from "./write.ts";

const [steps = "1500", ...files] = process.argv.slice(2);
const sources = files.length > 0 ? files : [new URL("alice.txt", import.meta.url)];
const text = sources.map((file) => readFileSync(file, "utf8")).join("\n");

console.log((await getDevice()).description);
const started = performance.now();
let trained: Trained | null = null;
for await (const progress of train(text, { steps: Number(steps) })) {
  trained = progress;
  const { step, loss } = progress;
  if (step > 1 && step % 100 > 0) continue;
  console.log(`step ${step}: loss ${loss.toFixed(3)}, ${((performance.now() - started) / step).toFixed(0)} ms a step`);
  if (step % 500 === 0) console.log(`  ${JSON.stringify(await write(progress, "The ", 80))}`);
}
if (trained) console.log(await write(trained, "The ", 400));
