import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { run, runQuietly } from "./child.mjs";
import { findChromium } from "./chromium.mjs";

/**
 * All tests: vitest in Node and in Chromium, then the built packages in plain Node. The last line printed is
 * `N passed, N failed`, with `, N skipped` where some were. Arguments narrow the vitest run and leave the rest out.
 *
 * @param {string} root
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export async function runTests(root, args) {
  const total = await runVitest(root, args);
  if (args.length === 0) {
    add(total, await runSmoke(root));
    const chromium = findChromium();
    if ("reason" in chromium) {
      console.log(`browser tests skipped: ${chromium.reason}`);
      total.skipped++;
    }
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed > 0 ? 1 : 0;
}

/**
 * Runs vitest and counts.
 *
 * @param {string} root
 * @param {readonly string[]} args
 * @param {readonly string[]} command what runs a JavaScript file: Node, unless another runtime is wanted
 */
export async function runVitest(root, args, command = [process.execPath]) {
  const report = join(root, ".cache", `vitest-${process.pid}.json`);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    const [program, ...before] = command;
    const code = await run(program, [...before, vitest, "run", ...reporters, ...args], { cwd: root });
    return counted(readReport(report), code);
  } finally {
    rmSync(report, { force: true });
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null; // vitest ended before it could write one, and has said why
  }
}

function counted(report, code) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  if (report !== null) {
    total.passed = report.numPassedTests;
    total.failed = report.numFailedTests;
    total.skipped = report.numPendingTests + report.numTodoTests;
    // A file that cannot be loaded fails without a test in it.
    const broken = (file) =>
      file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
    total.failed += report.testResults.filter(broken).length;
  }
  // Errors outside any test.
  if (code !== 0 && total.failed === 0) total.failed = 1;
  return total;
}

async function runSmoke(root) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const steps = [
    { title: "the packages bundle for browsers without Node's modules", args: [join(root, "scripts", "bundle.mjs")] },
    { title: "the packages build (tsc -b)", args: [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"] },
    { title: "the built packages run in plain Node", args: [join(root, "scripts", "smoke.mjs")] },
  ];
  for (const { title, args } of steps) {
    const { code, output } = await runQuietly(process.execPath, args, { cwd: root });
    if (code === 0) {
      total.passed++;
      console.log(` ✓ ${title}`);
    } else {
      total.failed++;
      console.log(` ✗ ${title}\n${output}`);
      break;
    }
  }
  return total;
}

function add(total, more) {
  for (const key of Object.keys(total)) total[key] += more[key];
}
