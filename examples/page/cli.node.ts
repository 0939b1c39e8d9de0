/** Serves the examples' page on this machine, or writes it as static files with `--out DIR`. */
import { join, resolve } from "node:path";
import process from "node:process";
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
  const port = Number(values.port);
  try {
    const { url } = await serveFolder(folder, port);
    console.log(`${url} (Ctrl-C ends)`);
  } catch (error) {
    // taken, reserved, or no port at all
    console.error(`port ${values.port} cannot be served (${(error as Error).message}); choose another with --port`);
    process.exitCode = 1;
  }
}
