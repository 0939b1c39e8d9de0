import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { eventOf } from "../cell/event-line.ts";
import type { CellEvent, CellRequest } from "../cell/events.ts";
import type { Runtime } from "../record/cell-record.ts";
import type { AdapterEnvironment } from "./adapters.ts";
import { ROOT, script } from "./repository.ts";

/** How a cell is run: resolves when it has ended, with the cause where it ended early. */
export type CellRunner = (
  request: CellRequest,
  onEvent: (event: CellEvent) => void,
  signal: AbortSignal,
) => Promise<string | null>;

const MAIN = fileURLToPath(new URL("../cell/main.node.ts", import.meta.url));

/** Milliseconds between a signal to a cell's process and the same signal to this one. */
const GRACE = 500;

/** A program and what goes before the file that it runs from source. */
type Command = readonly [program: string, ...args: string[]];

/** @throws Error when the runtime cannot be had */
async function commandOf(runtime: Exclude<Runtime, "chromium">): Promise<Command> {
  if (runtime === "node") {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
    return [process.execPath, "--import", tsx, "--conditions=@omni/source"];
  }
  type Found = { readonly program: string; readonly source: readonly string[] } | { readonly reason: string };
  const { findRuntime } = await script<{ findRuntime: (name: string) => Promise<Found> }>("scripts/runtimes.mjs");
  const found = await findRuntime(runtime);
  if ("reason" in found) throw new Error(`bench: ${runtime} must start, but ${found.reason}`);
  return [found.program, ...found.source];
}

/** What a process said last on standard error that is about its end: an error's message, else its last line. */
function lastWords(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.find((line) => /^(Uncaught )?[A-Z]\w*Error\b.*: /.test(line)) ?? lines.at(-1) ?? "";
}

/**
 * Cells in processes of Node, Deno or Bun.
 *
 * @throws Error when the runtime cannot be had
 */
export async function processRunner(
  runtime: Exclude<Runtime, "chromium">,
  adapter: AdapterEnvironment,
): Promise<CellRunner> {
  const [program, ...args] = await commandOf(runtime);
  const env = { ...process.env, ...adapter };
  return (request, onEvent, signal) =>
    new Promise((resolve) => {
      const child = spawn(program, [...args, MAIN, JSON.stringify(request)], {
        cwd: ROOT,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let rest = "";
      let errors = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const event = eventOf(line);
          if (event) onEvent(event);
        }
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors = (errors + text).slice(-10_000);
      });
      const stop = (): void => {
        child.kill("SIGKILL");
      };
      signal.addEventListener("abort", stop);
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, killer) => {
        signal.removeEventListener("abort", stop);
        const cause = code === 0 ? null : `the process ended with ${killer ?? `code ${code}`}: ${lastWords(errors)}`;
        // Ctrl-C reaches both processes: this one must have heard of it before it judges
        setTimeout(() => resolve(cause), killer === null ? 0 : GRACE);
      });
    });
}
