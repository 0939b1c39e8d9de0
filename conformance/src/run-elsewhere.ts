import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

type Found = { readonly program: string; readonly source: readonly string[] } | { readonly reason: string };

/** The repository's own search for other runtimes. */
async function findRuntime(name: string): Promise<Found> {
  // a script without types
  const scripts = (await import(new URL("../../scripts/runtimes.mjs", import.meta.url).href)) as {
    findRuntime(name: string): Promise<Found>;
  };
  return scripts.findRuntime(name);
}

/** The arguments without `--runtime NAME`. */
function withoutRuntime(args: readonly string[]): string[] {
  return args.filter((arg, i) => !/^--runtime(=|$)/.test(arg) && args[i - 1] !== "--runtime");
}

/**
 * Runs this same program in another runtime.
 *
 * @param args the command line's
 * @returns its exit code
 * @throws Error when the runtime cannot be had
 */
export async function runElsewhere(runtime: string, args: readonly string[]): Promise<number> {
  const found = await findRuntime(runtime);
  if ("reason" in found) throw new Error(`conformance: ${runtime} must start, but ${found.reason}`);
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawn(found.program, [...found.source, main, ...withoutRuntime(args)], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
