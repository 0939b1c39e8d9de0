import { availableParallelism } from "node:os";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { findChromium } from "./scripts/chromium.mjs";

const SOURCE = "@omni/source";
const BROWSER_ONLY = "packages/*/src/**/*.browser.test.ts";
const NODE_ONLY = "packages/*/src/**/*.node.test.ts";

// Software adapters use every core by themselves: more than two test processes only wait for each other.
const workers = Math.min(2, availableParallelism());

// `npm run test:runtimes` runs vitest itself in other runtimes, and with it the project that is called node.
const inDeno = process.versions["deno"] !== undefined;
const conditions = [SOURCE, ...(inDeno ? ["deno"] : []), "module", "node", "development|production"];

const node: TestProjectConfiguration = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "node",
    sequence: { groupOrder: 0 },
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts", "benchmarks/src/**/*.test.ts"],
    exclude: [BROWSER_ONLY],
    // Worker threads have a copy of process.env that Dawn does not see. Files share a process, and so one device; but not in
    // Deno, where freeing many native objects takes time by the square of their number.
    pool: "forks",
    isolate: inDeno,
    maxWorkers: workers,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
};

function chromium(): TestProjectConfiguration | null {
  const found = findChromium();
  if ("reason" in found) {
    console.log(`browser tests skipped: ${found.reason}`);
    return null;
  }
  const { executablePath, args, env } = found;
  return {
    resolve: { conditions: [SOURCE, "module", "browser", "development|production"] },
    // found only while tests run, they would make vite start over in the middle
    optimizeDeps: { include: ["fast-check"] },
    test: {
      name: "chromium",
      sequence: { groupOrder: 1 },
      include: ["packages/core/src/**/*.test.ts", BROWSER_ONLY],
      exclude: [NODE_ONLY],
      isolate: false,
      fileParallelism: false,
      testTimeout: 240_000,
      hookTimeout: 240_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args, env } }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

/** True unless the command line names projects and this is not among them. */
function isWanted(project: string): boolean {
  const named = process.argv.flatMap((arg, index) => {
    if (arg === "--project") return [process.argv[index + 1] ?? ""];
    return arg.startsWith("--project=") ? [arg.slice("--project=".length)] : [];
  });
  return named.length === 0 || named.some((name) => name.includes("*") || name === project);
}

export default defineConfig(() => {
  const browser = isWanted("chromium") ? chromium() : null;
  return {
    test: {
      projects: browser ? [node, browser] : [node],
      coverage: {
        provider: "v8",
        include: ["packages/core/src/**/*.ts"],
        exclude: ["**/*.test.ts", "packages/core/src/testing/**"],
        reporter: ["text", "html"],
        reportsDirectory: "out/coverage",
        thresholds: { lines: 90 },
      },
    },
  };
});
