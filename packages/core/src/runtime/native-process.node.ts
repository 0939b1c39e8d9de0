import { createRequire } from "node:module";
import { constants } from "node:os";
import process from "node:process";

/** The part of Bun's and Deno's foreign functions that is used here; neither's types are installed. */
interface BunFfi {
  dlopen(path: string, symbols: object): { readonly symbols: Readonly<Record<string, (...args: unknown[]) => number>> };
}
interface DenoFfi {
  dlopen(path: string, symbols: object): unknown;
}

// A library is unmapped when its handle is collected.
const held: unknown[] = [];

/**
 * Maps a shared library into this process for good: other native code then finds it by its name, whatever the search path. Linux.
 *
 * @throws Error when it cannot be loaded
 */
export function loadLibrary(path: string): void {
  if (process.versions["bun"] !== undefined) held.push(bunFfi().dlopen(path, { vkCreateInstance: {} }));
  else if (process.versions["deno"] !== undefined) held.push(denoFfi().dlopen(path, {}));
  else loadInNode(path);
}

/** Sets an environment variable, or removes it, for native code in this process too. Linux; in the main thread. */
export function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
  if (process.versions["bun"] === undefined) return;
  // Bun's process.env is a copy, which C's getenv does not see.
  const text = (content: string): Buffer => Buffer.from(`${content}\0`);
  const { symbols } = bunFfi().dlopen("libc.so.6", {
    setenv: { args: ["cstring", "cstring", "i32"], returns: "i32" },
    unsetenv: { args: ["cstring"], returns: "i32" },
  });
  if (value === undefined) symbols["unsetenv"]?.(text(name));
  else symbols["setenv"]?.(text(name), text(value), 1);
}

function loadInNode(path: string): void {
  const RTLD_NODELETE = 0x1000;
  const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE;
  try {
    process.dlopen({ exports: {} }, path, flags);
  } catch (error) {
    // The library is no Node addon: it "did not self-register", but stays mapped.
    if (!(error instanceof Error && error.message.includes("self-register"))) throw error;
  }
}

// a built-in module that only Bun has
const bunFfi = (): BunFfi => createRequire(import.meta.url)("bun:ffi") as BunFfi;

// a global that only Deno has
const denoFfi = (): DenoFfi => (globalThis as unknown as { readonly Deno: DenoFfi }).Deno;
