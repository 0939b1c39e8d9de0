import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runQuietly } from "./child.mjs";

const PNPM = "pnpm@10.34.9";

/**
 * Installs the dependencies unless those of this lockfile are installed already.
 *
 * @param {string} root
 * @returns {Promise<boolean>} false when the installation failed; its output has been printed
 */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return true;
  const started = performance.now();
  console.error("Installing dependencies (once) …");
  // ffmpeg binaries of a media library: nothing here uses them.
  const installEnv = { ...process.env, SKIP_FFMPEG: "true" };
  const [program, ...before] = npxCommand();
  const args = [...before, PNPM, "install", "--frozen-lockfile", "--config.confirm-modules-purge=false"];
  const { code, output } = await runQuietly(program, args, { cwd: root, env: installEnv });
  if (code !== 0) {
    console.error(output);
    console.error(`Installing the dependencies failed (exit ${code}); it needs the network once.`);
    return false;
  }
  console.error(`Installed in ${Math.round((performance.now() - started) / 1000)} s.`);
  return true;
}

/** pnpm leaves the lockfile of what it installed, as its last act. */
function isInstalled(root) {
  try {
    const installed = readFileSync(join(root, "node_modules", ".pnpm", "lock.yaml"));
    return installed.equals(readFileSync(join(root, "pnpm-lock.yaml")));
  } catch {
    return false;
  }
}

/** @returns {[string, ...string[]]} */
function npxCommand() {
  const npm = process.env["npm_execpath"];
  if (npm?.endsWith("npm-cli.js")) return [process.execPath, npm, "exec", "--yes", "--"];
  return ["npx", "--yes"];
}
