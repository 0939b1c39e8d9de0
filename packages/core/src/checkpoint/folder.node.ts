import { chooseCheckpoint } from "./choose-checkpoint.ts";

// Not an import: bundlers for the browser follow imports, and this module is reached from isomorphic code.
const files = () => process.getBuiltinModule("node:fs/promises");

const pathOf = (folder: string | URL): string =>
  folder instanceof URL ? process.getBuiltinModule("node:url").fileURLToPath(folder) : folder;

/** The path of a file in a folder. */
export const within = (folder: string | URL, name: string): string =>
  process.getBuiltinModule("node:path").join(pathOf(folder), name);

/** Whether a path is a folder. */
export async function isFolder(path: string | URL): Promise<boolean> {
  return files()
    .stat(path)
    .then(
      (stat) => stat.isDirectory(),
      () => false,
    );
}

/**
 * The name of the one checkpoint in a folder.
 *
 * @throws CheckpointError when there is none, or several
 */
export async function checkpointIn(folder: string | URL): Promise<string> {
  return chooseCheckpoint(pathOf(folder), await files().readdir(folder));
}
