import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { DeviceError } from "../base/errors.ts";
import { loadLibrary, setVariable } from "./native-process.node.ts";
import { userCaches } from "./user-cache.node.ts";

const LOADER = "libvulkan.so.1";
const MANIFEST = "vk_swiftshader_icd.json";
const NEEDED = [LOADER, "libvk_swiftshader.so", MANIFEST];
const FOLDER = /[/\\]omni[/\\]swiftshader-[0-9a-f]{16}[/\\]vk_swiftshader_icd\.json$/;

/** True of a driver path that this file made, as a child process inherits it. */
export function isBundledDriver(driverFile: string | undefined): boolean {
  return driverFile !== undefined && FOLDER.test(driverFile);
}

/**
 * Unpacks the Vulkan software driver that `@sparticuz/chromium` carries (x86-64 Linux) into the first cache folder which can
 * be written, keyed by the archive's hash; later calls and other processes find it there.
 *
 * @returns the folder
 * @throws DeviceError (unavailable) when the package is missing or no folder can be written
 */
export async function unpackSwiftShader(roots: readonly string[] = cacheRoots()): Promise<string> {
  const archive = readArchive();
  const key = createHash("sha256").update(archive).digest("hex").slice(0, 16);
  const folders = roots.map((root) => join(root, "omni", `swiftshader-${key}`));
  for (const folder of folders) {
    if (isComplete(folder) && isOurs(folder)) return folder;
  }
  const refusals: string[] = [];
  const files = untar(brotliDecompressSync(archive), NEEDED);
  for (const folder of folders) {
    try {
      return place(files, folder);
    } catch (error) {
      refusals.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new DeviceError(
    "unavailable",
    `getDevice: no folder to unpack the software driver into:\n  ${refusals.join("\n  ")}`,
  );
}

/**
 * Makes the driver in `folder` the one that Dawn's next instance loads. The variables stay set: worker threads and child
 * processes then find the same driver.
 *
 * @throws DeviceError (unavailable) when the loader does not load
 */
export function useBundledDriver(folder: string): void {
  setVariable("VK_DRIVER_FILES", join(folder, MANIFEST));
  setVariable("VK_ICD_FILENAMES", join(folder, MANIFEST));
  try {
    // Dawn finds it by its soname.
    loadLibrary(join(folder, LOADER));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError("unavailable", `getDevice: cannot load the bundled Vulkan loader: ${message}`, { cause });
  }
}

/** Where the driver may be kept, best first: the user's cache, the temporary folder, the project's own folders. */
export function cacheRoots(): string[] {
  const roots = userCaches();
  roots.push(join(tmpdir(), `omni-cache-${process.getuid?.() ?? "user"}`));
  const modules = enclosingModules(dirname(fileURLToPath(import.meta.url)));
  if (modules) roots.push(join(modules, ".cache"));
  roots.push(join(process.cwd(), ".cache"));
  return roots;
}

function enclosingModules(from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) return modules;
    if (dirname(folder) === folder) return null;
  }
}

function readArchive(): Buffer {
  try {
    const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
    return readFileSync(join(dirname(entry), "..", "..", "bin", "swiftshader.tar.br"));
  } catch (cause) {
    throw new DeviceError(
      "unavailable",
      "getDevice: no GPU driver, and the package @sparticuz/chromium with the software one is not installed",
      { cause },
    );
  }
}

function isComplete(folder: string): boolean {
  return NEEDED.every((name) => existsSync(join(folder, name)));
}

/** A shared temporary folder may hold another user's files: code is loaded only from one's own or root's. */
function isOurs(folder: string): boolean {
  const owner = statSync(folder).uid;
  return process.getuid === undefined || owner === process.getuid() || owner === 0;
}

/** Writes beside the target and renames, so that no process ever sees half a driver. */
function place(files: ReadonlyMap<string, Buffer>, folder: string): string {
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  if (!isOurs(parent)) throw new Error(`${parent} belongs to another user`);
  const aside = `${folder}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    mkdirSync(aside, { mode: 0o700 });
    for (const [name, bytes] of files) writeFileSync(join(aside, name), bytes, { mode: 0o700 });
    try {
      renameSync(aside, folder);
    } catch (error) {
      if (isComplete(folder) && isOurs(folder)) return folder;
      if (!existsSync(folder)) throw error;
      // A cleaner took part of it: make room for the whole.
      rmSync(folder, { recursive: true, force: true });
      renameSync(aside, folder);
    }
    return folder;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** The named files of an uncompressed ustar archive. */
function untar(archive: Buffer, names: readonly string[]): Map<string, Buffer> {
  const BLOCK = 512;
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= archive.length;) {
    const name = archive.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (name === "") break;
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136), 8);
    const base = name.slice(name.lastIndexOf("/") + 1);
    if (names.includes(base)) files.set(base, archive.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  const missing = names.filter((name) => !files.has(name));
  if (missing.length > 0)
    throw new DeviceError("unavailable", `getDevice: the bundled driver lacks ${missing.join(", ")}`);
  return files;
}
