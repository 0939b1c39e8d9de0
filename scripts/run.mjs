/**
 * The repository's commands, on a machine with nothing but Node and npm: `npm test` and `npm run` with demo, eval:nano, bench, conformance,
 * coverage, docs, examples, fuzz or test:runtimes. Each installs the dependencies first when it must. Arguments after the command's name are passed on.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { run } from "./child.mjs";
import { settleEnvironment } from "./environment.mjs";
import { ensureInstalled } from "./install.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const commands = {
  demo: (args) => source("packages/cli/src/main.ts", ["demo", ...args]),
  "eval:nano": (args) => source("packages/cli/src/main.ts", ["eval:nano", "--readme", "README.md", ...args]),
  conformance: (args) => source("conformance/src/main.ts", args),
  examples: (args) => source("examples/page/cli.node.ts", args),
  docs: (args) => run(process.execPath, [join(root, "reference", "build.mjs"), ...args], {}),
  fuzz: (args) => source("scripts/fuzz-checkpoints.ts", args),
  bench: (args) => source("benchmarks/src/main.ts", args),
  test: async (args) => {
    const { runTests } = await import("./test.mjs");
    return runTests(root, args);
  },
  coverage: async (args) => {
    const { runVitest } = await import("./test.mjs");
    const { failed } = await runVitest(root, [
      "--project",
      "node",
      "--coverage",
      ...(args.length > 0 ? args : ["packages/core"]),
    ]);
    return failed > 0 ? 1 : 0;
  },
  "test:runtimes": async (args) => {
    const { runRuntimeTests } = await import("./test-runtimes.mjs");
    return runRuntimeTests(root, args);
  },
};

/** Runs a program of the repository from its TypeScript source. */
function source(file, args) {
  const tsx = pathToFileURL(createRequire(join(root, "package.json")).resolve("tsx")).href;
  return run(process.execPath, ["--import", tsx, "--conditions=@omni/source", join(root, file), ...args], {});
}

const [name = "", ...rest] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : null;
if (command === null) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(commands).join("|")} [options]`);
  process.exitCode = 2;
} else {
  settleEnvironment(root);
  process.exitCode = (await ensureInstalled(root)) ? await command(rest) : 1;
}
