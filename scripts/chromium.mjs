import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { writableCacheFolders } from "./cache-folder.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

// WebGPU on SwiftShader (compute and canvas), with nothing fetched from the network.
const ARGS = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--ignore-gpu-blocklist",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--no-first-run",
];

/**
 * A headless Chromium with WebGPU: `OMNI_CHROMIUM`, the system's, or the one that `@sparticuz/chromium` carries (x86-64
 * Linux), unpacked with its libraries and fonts into a cache folder.
 *
 * @returns {{ executablePath: string, args: string[], env: Record<string, string> } | { reason: string }}
 */
export function findChromium() {
  // A namespace sandbox is refused to root and in most containers; the pages are this repository's own tests.
  const args = process.platform === "linux" ? [...ARGS, "--no-sandbox"] : ARGS;
  const asked = process.env.OMNI_CHROMIUM;
  const refusals = [];
  for (const executablePath of asked ? [asked] : INSTALLED) {
    if (!asked && !existsSync(executablePath)) continue;
    const env = baseEnvironment();
    const refusal = startRefusal(executablePath, env);
    if (refusal === null) return { executablePath, args, env };
    refusals.push(refusal);
  }
  if (asked) return { reason: refusals.join("; ") };
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { reason: "no Chromium installed, and the bundled one runs on x86-64 Linux only; set OMNI_CHROMIUM" };
  }
  for (const cache of writableCacheFolders(root)) {
    try {
      const folder = unpack(cache);
      const executablePath = join(folder, "chromium");
      const env = bundledEnvironment(folder);
      const refusal = startRefusal(executablePath, env);
      if (refusal === null) return { executablePath, args, env };
      refusals.push(refusal);
    } catch (error) {
      refusals.push(`${cache}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { reason: refusals.join("; ") || "no folder to unpack the bundled Chromium into" };
}

function baseEnvironment() {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
  // The browser brings its own SwiftShader; a driver chosen for Node would replace it.
  delete env.VK_DRIVER_FILES;
  delete env.VK_ICD_FILENAMES;
  return env;
}

function bundledEnvironment(folder) {
  const env = baseEnvironment();
  env.LD_LIBRARY_PATH = [join(folder, "lib"), env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  env.FONTCONFIG_PATH = join(folder, "fonts");
  env.HOME = folder;
  env.XDG_CACHE_HOME = join(folder, "cache");
  env.XDG_CONFIG_HOME = join(folder, "config");
  return env;
}

/** Why the program does not start, or null if it does. */
function startRefusal(executablePath, env) {
  try {
    execFileSync(executablePath, ["--version", "--no-sandbox"], { env, stdio: "pipe", timeout: 30_000 });
    return null;
  } catch (error) {
    const text = String(error?.stderr || error?.message || error).trim();
    return `${executablePath}: ${text.split("\n")[0]}`;
  }
}

function unpack(cache) {
  const bin = join(root, "node_modules", "@sparticuz", "chromium", "bin");
  const { version } = createRequire(import.meta.url)(join(bin, "..", "package.json"));
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(join(folder, "complete"))) return folder;
  const aside = `${folder}.${process.pid}`;
  rmSync(aside, { recursive: true, force: true });
  try {
    for (const name of ["", "cache", "config"]) mkdirSync(join(aside, name), { recursive: true, mode: 0o700 });
    writeFileSync(join(aside, "chromium"), inflated(bin, "chromium.br"), { mode: 0o700 });
    untar(inflated(bin, "swiftshader.tar.br"), aside);
    untar(inflated(bin, "al2023.tar.br"), aside);
    untar(inflated(bin, "fonts.tar.br"), join(aside, "fonts"));
    writeFileSync(join(aside, "fonts", "fonts.conf"), fontConfiguration(folder));
    writeFileSync(join(aside, "complete"), version);
    try {
      renameSync(aside, folder);
    } catch {
      if (existsSync(join(folder, "complete"))) return folder;
      rmSync(folder, { recursive: true, force: true });
      renameSync(aside, folder);
    }
    return folder;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function inflated(bin, name) {
  return brotliDecompressSync(readFileSync(join(bin, name)));
}

// The configuration in the archive names a folder under /tmp.
function fontConfiguration(folder) {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <cachedir>${join(folder, "cache")}</cachedir>
</fontconfig>
`;
}

/** Plain files of an uncompressed ustar archive. */
function untar(archive, target) {
  for (let at = 0; at + 512 <= archive.length;) {
    const name = archive.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (name === "") return;
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136), 8) || 0;
    const type = String.fromCharCode(archive[at + 156] ?? 0);
    const path = join(target, name);
    if (type === "5") mkdirSync(path, { recursive: true });
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, archive.subarray(at + 512, at + 512 + size));
      chmodSync(path, 0o700);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
