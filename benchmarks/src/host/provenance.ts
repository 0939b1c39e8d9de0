import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { arch, availableParallelism, cpus, totalmem, type as system } from "node:os";
import { ROOT } from "./repository.ts";

/** What is measured, and what measures. */
const SOURCES = ["packages", "benchmarks/src", "benchmarks/peers"];

function git(...args: readonly string[]): string {
  return execFileSync("git", args, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 2 ** 28,
  });
}

/** The last commit of the sources; where files differ from it, a "+" and a digest of the difference. */
export function commit(): string {
  try {
    const last = git("log", "-1", "--format=%h", "--", ...SOURCES).trim();
    const changes =
      git("diff", "HEAD", "--", ...SOURCES) + git("ls-files", "--others", "--exclude-standard", "--", ...SOURCES);
    if (changes === "") return last;
    return `${last}+${createHash("sha256").update(changes).digest("hex").slice(0, 6)}`;
  } catch {
    return "unknown"; // no git, or no clone
  }
}

/** Processor, cores, memory and system in a line. */
export function machine(): string {
  const model = (cpus()[0]?.model ?? "unknown processor").trim();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${gib} GiB, ${system()} ${arch()}`;
}
