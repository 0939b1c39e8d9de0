import { readFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { CaseFiles } from "./types.ts";

/** A set in a folder. Paths that lead out of it are refused. */
export function folderFiles(folder: string): CaseFiles {
  const root = resolve(folder);
  const inside = (path: string): string => {
    const full = join(root, path);
    if (!full.startsWith(root + sep)) throw new Error(`conformance: ${path} must lie in ${root}`);
    return full;
  };
  return {
    bytes: async (path) => new Uint8Array(await readFile(inside(path))),
    text: (path) => readFile(inside(path), "utf8"),
  };
}
