import { fileURLToPath } from "node:url";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A script of the repository, which has no types of its own. */
export const script = async <T>(path: string): Promise<T> =>
  (await import(new URL(`../../../${path}`, import.meta.url).href)) as T;
