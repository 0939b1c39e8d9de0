import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/**
 * Makes this process's environment, which the programs it starts inherit, good for work. Where there is no home folder that
 * can be written, everything that npm, pnpm, drivers and browsers keep there goes to the clone's `.cache`.
 *
 * @param {string} root the repository's root
 */
export function settleEnvironment(root) {
  const { env } = process;
  const cache = join(root, ".cache");
  if (!canWrite(tmpdir())) {
    const folder = join(cache, "tmp");
    mkdirSync(folder, { recursive: true });
    for (const name of ["TMPDIR", "TMP", "TEMP"]) env[name] = folder;
  }
  const home = homeFolder();
  if (home !== null && canWrite(home)) return;
  // A registry or proxy that the user has configured stays in force.
  if (home !== null && existsSync(join(home, ".npmrc"))) env["npm_config_userconfig"] = join(home, ".npmrc");
  const substitute = join(cache, "home");
  mkdirSync(substitute, { recursive: true });
  env["HOME"] = substitute;
  if (process.platform === "win32") env["USERPROFILE"] = substitute;
  env["PNPM_HOME"] = join(substitute, ".local", "share", "pnpm");
  env["XDG_CACHE_HOME"] = join(substitute, ".cache");
  env["XDG_CONFIG_HOME"] = join(substitute, ".config");
  env["XDG_DATA_HOME"] = join(substitute, ".local", "share");
  env["XDG_STATE_HOME"] = join(substitute, ".local", "state");
  env["npm_config_cache"] = join(substitute, ".npm");
  env["npm_config_store_dir"] = join(substitute, ".local", "share", "pnpm", "store");
}

function homeFolder() {
  try {
    return process.env["HOME"] || homedir() || null;
  } catch {
    return null; // neither HOME nor an entry in the password file
  }
}

/** @param {string} folder */
function canWrite(folder) {
  const probe = join(folder, `.omni-write-${process.pid}`);
  try {
    writeFileSync(probe, "");
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
  }
}
