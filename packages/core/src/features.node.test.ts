import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as core from "./index.ts";

const text = readFileSync(new URL("../../../FEATURES.md", import.meta.url), "utf8");
/** Names in the middle column of the tables. */
const named = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .flatMap((line) => [...(line.split("|")[2] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
const methods = new Set(Object.getOwnPropertyNames(core.Tensor.prototype));

describe("FEATURES.md", () => {
  test("names nothing that does not exist", () => {
    const missing = named.filter((name) =>
      name.startsWith(".") ? !methods.has(name.slice(1)) : !Object.hasOwn(core, name),
    );
    expect(missing).toEqual([]);
  });

  test("names every export", () => {
    expect(Object.keys(core).filter((name) => !named.includes(name))).toEqual([]);
  });

  test("names every method of Tensor", () => {
    const hidden = ["constructor", "shape", "dtype", "size", "ndim"];
    const listed = new Set([...named.filter((n) => n.startsWith(".")).map((n) => n.slice(1)), ...hidden]);
    expect([...methods].filter((name) => !listed.has(name))).toEqual([]);
  });
});
