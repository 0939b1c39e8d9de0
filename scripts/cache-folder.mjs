import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/**
 * Folders that caches may live in and that can really be written, best first: the user's cache, the temporary folder, this
 * clone's own.
 *
 * @param {string} clone the repository's root
 * @returns {string[]}
 */
export function writableCacheFolders(clone) {
  const folders = [];
  if (process.env.XDG_CACHE_HOME) folders.push(join(process.env.XDG_CACHE_HOME, "omni"));
  const home = homeFolder();
  if (home !== null) folders.push(join(home, ".cache", "omni"));
  folders.push(join(tmpdir(), `omni-cache-${process.getuid?.() ?? "user"}`));
  folders.push(join(clone, ".cache"));
  return folders.filter(isWritable);
}

function homeFolder() {
  try {
    return process.env.HOME || homedir() || null;
  } catch {
    return null; // neither HOME nor an entry in the password file
  }
}

function isWritable(folder) {
  const probe = join(folder, `.omni-write-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    writeFileSync(probe, "");
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
  }
}
