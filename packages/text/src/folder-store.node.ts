import type { StateStore } from "./state-store.ts";

// Not an import: bundlers for the browser follow imports, and this module is reached from isomorphic code.
const files = () => process.getBuiltinModule("node:fs/promises");
const paths = () => process.getBuiltinModule("node:path");

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

/**
 * A store in a folder, a file an entry (Node only). An entry is written aside and renamed: a reader never sees half of one, also while
 * several processes share the folder.
 *
 * @param folder is made when the first entry is put
 */
export function folderStore(folder: string): StateStore {
  const path = (name: string): string => paths().join(folder, `${name}.safetensors`);
  return {
    get: async (name) => {
      try {
        return new Uint8Array(await files().readFile(path(name)));
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    put: async (name, bytes) => {
      await files().mkdir(folder, { recursive: true });
      const aside = `${path(name)}.${crypto.randomUUID()}.partial`;
      try {
        await files().writeFile(aside, bytes);
        await files().rename(aside, path(name));
      } catch (error) {
        await files().rm(aside, { force: true });
        throw error;
      }
    },
  };
}
