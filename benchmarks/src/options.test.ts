import { describe, expect, test } from "vitest";
import { parseOptions, UsageError } from "./options.ts";

describe("parseOptions", () => {
  test("measures everything, in Node, into the report by default", () => {
    expect(parseOptions([])).toMatchObject({
      runtimes: ["node"],
      adapters: ["auto"],
      contenders: ["ours", "forward", "raw", "tfjs", "jax", "ort", "tfjs-wasm", "ort-cpu"],
      out: "benchmarks/report",
      sizes: "full",
      resume: false,
    });
  });

  test("keeps partial runs out of the report", () => {
    for (const args of [["--quick"], ["--tiny"], ["--ops", "sum"], ["--peers", "none"]])
      expect(parseOptions(args)).toMatchObject({ out: "out/bench" });
    expect(parseOptions(["--quick", "--out", "elsewhere"])).toMatchObject({ out: "elsewhere" });
  });

  test("finds ops by parts of their names", () => {
    const options = parseOptions(["--ops", "conv3d,RMS"]);
    const ids = typeof options === "string" ? [] : options.ops.map(({ id }) => id);
    expect(ids).toEqual(["rms-norm", "conv3d", "conv3d-causal", "conv3d-large"]);
  });

  test("measures ours whatever the peers", () => {
    expect(parseOptions(["--peers", "jax"])).toMatchObject({ contenders: ["ours", "forward", "jax"] });
    expect(parseOptions(["--peers", "none"])).toMatchObject({ contenders: ["ours", "forward"] });
  });

  test("has an earlier commit beside ours, where it can run", () => {
    expect(parseOptions(["--before", "v0.1", "--peers", "jax"])).toMatchObject({
      contenders: ["ours", "forward", "before", "jax"],
      before: "v0.1",
    });
    expect(parseOptions([])).toMatchObject({ before: null });
    expect(() => parseOptions(["--before", "v0.1", "--runtimes", "chromium"])).toThrow("--runtimes node");
  });

  test("names what it cannot carry out, and what it could", () => {
    expect(() => parseOptions(["--peers", "torch"])).toThrow("--peers must be among raw, tfjs");
    expect(() => parseOptions(["--ops", "fft"])).toThrow("--ops must name ops of --list, got fft");
    expect(() => parseOptions(["--rounds", "0"])).toThrow(UsageError);
    expect(() => parseOptions(["--color"])).toThrow("--help");
  });
});
