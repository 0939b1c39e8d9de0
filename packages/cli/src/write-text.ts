import { rename, rm, writeFile } from "node:fs/promises";
import process from "node:process";
import { UsageError } from "./failure.ts";

/**
 * Writes a text file aside and renames it: there is never half a file.
 *
 * @throws UsageError when the place cannot be written to
 */
export async function writeText(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}.part`;
  try {
    await writeFile(aside, text);
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true });
    throw new UsageError(`${path}: cannot be written; check that the folder exists and may be written to`, { cause });
  }
}
