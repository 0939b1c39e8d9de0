import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

/** The user's cache folders, best first: `$XDG_CACHE_HOME`, then `~/.cache`; none where there is no home. */
export function userCaches(): string[] {
  const roots: string[] = [];
  const cache = process.env["XDG_CACHE_HOME"];
  if (cache) roots.push(cache);
  try {
    // Throws where the user has neither HOME nor an entry in the password file.
    // Bun keeps the HOME that it began with
    const home = process.env["HOME"] || homedir();
    if (home) roots.push(join(home, ".cache"));
  } catch {
    // no home, no folder
  }
  return roots;
}

/** A file of the user's cache; null where it is missing or cannot be read. */
export async function readCached(name: string): Promise<string | null> {
  const [root] = userCaches();
  if (root === undefined) return null;
  return readFile(join(root, "omni", name), "utf8").catch(() => null);
}

/** Writes aside and renames, so that no process ever reads half a file. @throws where the folder is missing and cannot be made, or is read-only */
export async function writeCached(name: string, text: string): Promise<void> {
  const [root] = userCaches();
  if (root === undefined) throw new Error("no home folder and no XDG_CACHE_HOME");
  const path = join(root, "omni", name);
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(aside, text);
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}
