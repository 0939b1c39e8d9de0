import { describe, expect, test } from "vitest";
import { profile } from "../schedule/realize.ts";
import { tensor } from "../tensor/create.ts";
import { realize } from "../tensor/tensor.ts";
import { getDevice } from "./device.ts";
import { Profile } from "./profile.ts";

const TIMINGS = [
  { label: "add", scope: "net.a", start: 0, milliseconds: 1 },
  { label: "matmul", scope: "net.a.proj backward", start: 1, milliseconds: 6 },
  { label: "add", scope: "", start: 7, milliseconds: 1 },
];

describe("Profile", () => {
  test("adds up by kernel, longest first", () => {
    const { spans, milliseconds } = new Profile(TIMINGS);
    expect(spans).toEqual([
      { label: "matmul", count: 1, milliseconds: 6 },
      { label: "add", count: 2, milliseconds: 2 },
    ]);
    expect(milliseconds).toBe(8);
  });

  test("prints a table with shares", () => {
    const [kernels = "", modules = ""] = new Profile(TIMINGS).toString().split("\n\n");
    expect(kernels.split("\n")).toHaveLength(3);
    expect(kernels).toMatch(/^matmul +1 +6\.000 +75\.0 %$/m);
    expect(modules).toMatch(/^net\.a\.proj backward +1 +6\.000 +75\.0 %$/m);
    expect(new Profile(TIMINGS.map((t) => ({ ...t, scope: "" }))).toString()).not.toContain("module");
  });

  test("adds up by module, to a depth", () => {
    const profile = new Profile(TIMINGS);
    expect(profile.modules().map((s) => s.label)).toEqual(["net.a.proj backward", "net.a", ""]);
    expect(profile.modules(2).map((s) => s.label)).toEqual(["net.a backward", "net.a", ""]);
  });

  test("writes complete events in microseconds for Chrome", () => {
    // the field names are those of the trace event format
    const { traceEvents } = JSON.parse(new Profile(TIMINGS).chromeTrace()) as { traceEvents: object[] };
    expect(traceEvents[1]).toMatchObject({ name: "matmul", ph: "X", ts: 1000, dur: 6000 });
  });

  test("of real work names its kernels, or says that the adapter cannot", async () => {
    const device = await getDevice();
    const work = () => realize([tensor(new Float32Array(64)).add(1).sum()]);
    if (!device.gpu.features.has("timestamp-query")) {
      await expect(profile(work)).rejects.toThrow("profiler: the adapter must have timestamp queries");
      return;
    }
    const { timings } = await profile(work);
    expect(timings.map((t) => t.label)).toContain("sum");
    expect(timings.every((t) => t.milliseconds >= 0)).toBe(true);
  });
});
