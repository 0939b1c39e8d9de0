import { readFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { type CaseFiles, MissingFile } from "./types.ts";

/** A set in a folder. Paths that lead out of it are refused. */
export function folderFiles(folder: string): CaseFiles {
  const root = resolve(folder);
  const inside = (path: string): string => {
    const full = join(root, path);
    if (!full.startsWith(root + sep)) throw new Error(`conformance: ${path} must lie in ${root}`);
    return full;
  };
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(inside(path));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new MissingFile(path);
      throw error;
    }
  };
  return {
    bytes: async (path) => new Uint8Array(await read(path)),
    text: async (path) => (await read(path)).toString("utf8"),
  };
}
