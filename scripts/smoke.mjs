/** Imports every built package as a user of it would, without the source condition, and computes something with core. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages");

for (const name of readdirSync(packages)) {
  const entry = import.meta.resolve(`@omni/${name}`);
  assert.match(entry, /\/dist\//, `@omni/${name} resolves to its build`);
  await import(entry);
}

const { tensor } = await import("@omni/core");
const product = tensor([
  [1, 2],
  [3, 4],
]).matmul(tensor([[5], [6]]));
assert.deepEqual([...(await product.data())], [17, 39]);
