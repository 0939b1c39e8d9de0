import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { runQuietly } from "./child.mjs";
import { findRuntime } from "./runtimes.mjs";
import { runVitest } from "./test.mjs";

const NAMES = ["deno", "bun"];

/**
 * Core's tests in Deno and in Bun: vitest itself runs there, over the same files as in Node. Then a table by runtime.
 *
 * @param {string} root
 * @param {readonly string[]} args names of runtimes (default both), and parts of test files' paths (default all of core's)
 * @returns {Promise<number>} exit code; 0 where a runtime could not be had, which is said
 */
export async function runRuntimeTests(root, args) {
  const asked = args.filter((arg) => NAMES.includes(arg));
  const filters = args.filter((arg) => !NAMES.includes(arg));
  const rows = [];
  for (const name of asked.length > 0 ? asked : NAMES) rows.push(await testIn(root, name, filters));
  console.log(table(rows));
  return rows.some(({ failed }) => failed > 0) ? 1 : 0;
}

async function testIn(root, name, filters) {
  const none = { runtime: name, adapter: "–", passed: 0, failed: 0, skipped: 0, note: "" };
  const runtime = await findRuntime(name);
  if ("reason" in runtime) return { ...none, note: `skipped: ${runtime.reason}` };
  const { program, tool, source, version } = runtime;
  const row = { ...none, runtime: `${name} ${version}` };
  const found = await adapterIn(root, [program, ...source]);
  if ("reason" in found) {
    // Where Node has an adapter, its absence elsewhere is a fault of ours.
    const inNode = await adapterIn(root, nodeCommand(root));
    if ("reason" in inNode) return { ...row, note: `skipped: ${found.reason}` };
    return { ...row, failed: 1, note: `no adapter, while Node has ${inNode.adapter}: ${found.reason}` };
  }
  const wanted = filters.length > 0 ? filters : ["packages/core/"];
  const total = await runVitest(root, ["--project", "node", ...wanted], [program, ...tool]);
  return { ...row, ...total, adapter: found.adapter };
}

async function adapterIn(root, [program, ...args]) {
  const { code, output } = await runQuietly(program, [...args, join(root, "scripts", "adapter-name.ts")], {
    cwd: root,
  });
  const lines = output.trim().split("\n");
  if (code === 0) return { adapter: lines.at(-1) };
  return { reason: lines.find((line) => line.includes("getDevice:")) ?? lines[0] };
}

function nodeCommand(root) {
  const tsx = pathToFileURL(createRequire(join(root, "package.json")).resolve("tsx")).href;
  return [process.execPath, "--import", tsx, "--conditions=@omni/source"];
}

function table(rows) {
  const lines = rows.map(
    ({ runtime, adapter, passed, failed, skipped, note }) =>
      `| ${runtime} | ${adapter} | ${passed} | ${failed} | ${skipped} | ${note} |`,
  );
  return ["", "| runtime | adapter | passed | failed | skipped | note |", "|---|---|--:|--:|--:|---|", ...lines].join(
    "\n",
  );
}
