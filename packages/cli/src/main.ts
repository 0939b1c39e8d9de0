import process from "node:process";
import { processContext } from "./context.ts";
import { Interrupted } from "./failure.ts";
import { run } from "./run.ts";

/** A wrapper may pass on a Ctrl-C that the terminal has sent already. */
const SAME_KEY_MS = 1000;

// a reader may have seen enough, as `| head` has; what else the command does goes on
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

const controller = new AbortController();
let first = 0;

function stop(): void {
  const now = performance.now();
  if (!controller.signal.aborted) {
    first = now;
    process.stderr.write("\nstopping …\n");
    controller.abort(new Interrupted());
  } else if (now - first > SAME_KEY_MS) process.exit(130);
}

process.on("SIGINT", stop);
process.on("SIGTERM", stop);
process.exitCode = await run(process.argv.slice(2), processContext(controller.signal));
process.off("SIGINT", stop);
process.off("SIGTERM", stop);
