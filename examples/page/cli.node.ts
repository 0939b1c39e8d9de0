/** Serves the examples' page on this machine, or writes it as static files with `--out DIR`. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildPage } from "./build.node.ts";
import { serveFolder } from "./serve.node.ts";

const { values } = parseArgs({ options: { out: { type: "string" }, port: { type: "string", default: "8080" } } });

if (values.out !== undefined) {
  await buildPage(resolve(values.out));
  console.log(`wrote ${values.out}; serve it from https or localhost, where browsers grant WebGPU`);
} else {
  const folder = join(fileURLToPath(new URL("../../", import.meta.url)), ".cache", "examples-page");
  await buildPage(folder);
  const { url } = await serveFolder(folder, Number(values.port));
  console.log(`${url} (Ctrl-C ends)`);
}
