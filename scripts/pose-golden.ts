/**
 * Writes what TensorFlow.js gives for the networks that find poses into packages/cli/fixtures/pose-golden.json, for tests to compare with.
 *
 *   npm install --prefix DIR @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-converter@4.22.0
 *   npx tsx --conditions=@omni/source scripts/pose-golden.ts DIR
 */
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { poseInputs } from "../packages/cli/src/pose-inputs.fixture.ts";
import { findPoseWeights } from "../packages/cli/src/pose-weights.ts";
import { fixture } from "../packages/cli/src/real-pictures.fixture.ts";

const from = createRequire(pathToFileURL(join(resolve(process.argv[2] ?? "."), "here.js")));
const tf = from("@tensorflow/tfjs-core");
from("@tensorflow/tfjs-backend-cpu");
const { loadGraphModelSync } = from("@tensorflow/tfjs-converter");
await tf.setBackend("cpu");

const weights = await findPoseWeights(process);
const golden: Record<string, Record<string, number[]>> = {};
for (const { network, values, shape, dtype, outputs } of await poseInputs()) {
  const model = JSON.parse(await readFile(join(weights, `${network}.json`), "utf8"));
  const { buffer, byteOffset, byteLength } = await readFile(join(weights, `${network}.bin`));
  const graph = loadGraphModelSync({
    ...model,
    weightSpecs: model.weightsManifest[0].weights,
    weightData: buffer.slice(byteOffset, byteOffset + byteLength),
  });
  const input = tf.tensor(values, shape, dtype === "i32" ? "int32" : "float32");
  golden[network] = {};
  for (const name of outputs) golden[network][name] = [...graph.execute(input, name).dataSync()];
}
await writeFile(fixture("pose-golden.json"), `${JSON.stringify(golden)}\n`);
