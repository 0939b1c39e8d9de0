/** Trains a character-level transformer on this repository's own documents, and lets it write. Arguments: steps, files. */
import { readFileSync } from "node:fs";
import { getDevice } from "@omni/core";
import { train, write } from "./train.ts";

const root = new URL("../../", import.meta.url);
const [steps = "1500", ...files] = process.argv.slice(2);
const documents = files.length > 0 ? files : ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "FEATURES.md"];
const whole = documents.map((file) => readFileSync(files.length > 0 ? file : new URL(file, root), "utf8")).join("\n");
// tables are mostly spaces, and spaces are all that would be learnt of them
const text = whole
  .split("\n")
  .filter((line) => !line.startsWith("|"))
  .join("\n");

console.log((await getDevice()).description);
const started = performance.now();
const trained = await train(text, {
  steps: Number(steps),
  onStep: (step, loss) => {
    if (step % 100 === 0 || step === 1)
      console.log(
        `step ${step}: loss ${loss.toFixed(3)}, ${((performance.now() - started) / step).toFixed(0)} ms a step`,
      );
  },
});
console.log(await write(trained, "The ", 300));
