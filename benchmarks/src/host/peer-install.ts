import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PEERS } from "../cell/peers.node.ts";
import { script } from "./repository.ts";

interface Child {
  runQuietly: (
    program: string,
    args: readonly string[],
    options: object,
  ) => Promise<{ readonly code: number; readonly output: string }>;
}

/** The lockfile of what was installed, kept as the installation's last act. */
const INSTALLED = join(PEERS, "node_modules", ".installed-lock.json");

function isInstalled(): boolean {
  try {
    return readFileSync(INSTALLED, "utf8") === readFileSync(join(PEERS, "package-lock.json"), "utf8");
  } catch {
    return false;
  }
}

/**
 * Installs the peers, once, apart from the workspace: half a gigabyte that no one else needs. No package's scripts run, so that nothing is
 * downloaded besides.
 *
 * @returns why it failed, or null
 */
export async function ensurePeers(): Promise<string | null> {
  if (isInstalled()) return null;
  process.stderr.write("Installing the peers (once, about 370 MB) …\n");
  const { runQuietly } = await script<Child>("scripts/child.mjs");
  const npm = process.env["npm_execpath"];
  const [program, before] = npm?.endsWith("npm-cli.js") ? [process.execPath, [npm]] : ["npm", []];
  const args = [...before, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const { code, output } = await runQuietly(program, args, { cwd: PEERS, env });
  if (code !== 0) return `npm ci ended with ${code}: ${output.trim().split("\n")[0] ?? ""}`;
  writeFileSync(INSTALLED, readFileSync(join(PEERS, "package-lock.json")));
  return null;
}
