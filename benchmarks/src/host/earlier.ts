import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, script } from "./repository.ts";

/** An earlier commit, ready to run from its sources. */
export interface Checkout {
  readonly root: string;
  /** Short name of the commit. */
  readonly commit: string;
}

/** Packages that contenders import. */
const PACKAGES = ["core", "dit", "sampler", "vae"];

/** Of a commit's files. */
const MOST_BYTES = 2 ** 30;

/**
 * Puts an earlier commit's packages, installed, under `.cache/earlier`, with today's contender beside them: it then does the same work through the
 * same calls with that commit's @omni/core. What is there stays; the contender is copied anew.
 *
 * @throws Error where there is no such commit, or where it cannot be installed
 */
export async function checkOut(ref: string): Promise<Checkout> {
  const commit = git("rev-parse", "--verify", "--short", `${ref}^{commit}`).toString().trim();
  const root = join(ROOT, ".cache", "earlier", commit);
  if (!existsSync(root)) unpack(commit, root);
  const { ensureInstalled } = await script<{ ensureInstalled: (root: string) => Promise<boolean> }>(
    "scripts/install.mjs",
  );
  if (!(await ensureInstalled(root))) throw new Error(`bench: ${commit} cannot be installed`);
  const benchmarks = join(root, "benchmarks");
  rmSync(benchmarks, { recursive: true, force: true });
  cpSync(join(ROOT, "benchmarks", "src"), join(benchmarks, "src"), { recursive: true });
  writeFileSync(join(benchmarks, "package.json"), JSON.stringify({ name: "earlier", type: "module" }));
  const scope = join(benchmarks, "node_modules", "@omni");
  mkdirSync(scope, { recursive: true });
  for (const name of PACKAGES) symlinkSync(join(root, "packages", name), join(scope, name));
  return { root, commit };
}

const git = (...args: readonly string[]): Buffer => {
  try {
    return execFileSync("git", args, { cwd: ROOT, maxBuffer: MOST_BYTES, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`bench: --before must name a commit of this repository; ${(error as Error).message.trim()}`);
  }
};

function unpack(commit: string, root: string): void {
  const aside = `${root}.part`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  execFileSync("tar", ["-x", "-C", aside], { input: git("archive", commit), maxBuffer: MOST_BYTES });
  renameSync(aside, root);
}
