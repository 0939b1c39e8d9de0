import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { writableCacheFolders } from "./cache-folder.mjs";
import { runQuietly } from "./child.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCE = "--conditions=@omni/source";
const MOST_INSTALL_MS = 300_000;

// Each is about 100 MB, so they are no dependencies: who runs their tests fetches them.
const FETCHED = {
  bun: { name: "bun", version: "1.4.5" },
  deno: { name: "deno", version: "2.9.6" },
};

/** What stands between the program and the file to run: `tool` for programs of node_modules, `source` for TypeScript of ours. */
const RUNTIMES = {
  bun: { fetched: FETCHED.bun, tool: ["--bun"], source: [SOURCE] },
  deno: { fetched: FETCHED.deno, tool: ["run", "-A", "--no-lock"], source: ["run", "-A", "--no-lock", SOURCE] },
  // Without leave to load native code, core takes Deno's own WebGPU; vitest does not start so.
  "deno-wgpu": {
    fetched: FETCHED.deno,
    tool: null,
    source: ["run", "--no-prompt", "--allow-read", "--allow-env", "--no-lock", SOURCE],
  },
};

export const RUNTIME_NAMES = Object.keys(RUNTIMES);

/**
 * Another runtime than Node: fetched from npm at its pinned version into a cache folder, unless it is there.
 *
 * @param {string} name one of RUNTIME_NAMES
 * @returns {Promise<{ version: string, program: string, tool: string[] | null, source: string[] } | { reason: string }>}
 */
export async function findRuntime(name) {
  const { fetched, tool, source } = RUNTIMES[name];
  if (process.platform === "win32") return { reason: "not prepared for Windows yet" };
  const [cache] = writableCacheFolders(root);
  if (cache === undefined) return { reason: "no folder can be written to keep it in" };
  const folder = join(cache, "runtimes", `${fetched.name}-${fetched.version}`);
  const program = join(folder, "node_modules", ".bin", fetched.name);
  if (!(await starts(program))) {
    const refusal = await fetchInto(folder, fetched);
    if (refusal !== null) return { reason: refusal };
    if (!(await starts(program))) return { reason: `${program} does not start` };
  }
  return { version: fetched.version, program, tool, source };
}

async function starts(program) {
  if (!existsSync(program)) return false;
  const { code } = await runQuietly(program, ["--version"], { timeout: 60_000 });
  return code === 0;
}

/** @returns {Promise<string | null>} why it failed */
async function fetchInto(folder, { name, version }) {
  mkdirSync(folder, { recursive: true });
  // npm looks for a project in the folders above, and would install into this repository
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  console.error(`Fetching ${name} ${version} (once) …`);
  const [program, args] = npmCommand();
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  const { code, output } = await runQuietly(program, [...args, "install", ...options, `${name}@${version}`], {
    cwd: folder,
    timeout: MOST_INSTALL_MS,
  });
  if (code === 0) return null;
  const said = output.split("\n").filter((line) => line.trim() !== "");
  const why = said.find((line) => line.startsWith("npm error") && !/^npm error (code|errno|syscall)\b/.test(line));
  return `npm install ${name}@${version} ended with ${code}: ${why ?? said[0] ?? "no reason given"}`;
}

/** @returns {[string, string[]]} */
function npmCommand() {
  const npm = process.env["npm_execpath"];
  return npm?.endsWith("npm-cli.js") ? [process.execPath, [npm]] : ["npm", []];
}
