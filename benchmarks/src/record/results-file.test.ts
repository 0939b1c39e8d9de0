import { appendFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { provenance, record } from "./record.fixture.ts";
import { parseRecords, ResultsFile } from "./results-file.ts";

const asked = { contenders: ["ours", "tfjs"], rounds: 5 };
const newPath = (): string => join(mkdtempSync(join(tmpdir(), "bench-")), "report", "results.jsonl");

describe("ResultsFile", () => {
  test("keeps each record as soon as it is there", () => {
    const path = newPath();
    new ResultsFile(path, { resume: false }).add(record());
    expect(parseRecords(readFileSync(path, "utf8"))).toEqual([record()]);
  });

  test("skips, when resumed, what was measured under the same circumstances", () => {
    const path = newPath();
    new ResultsFile(path, { resume: false }).add(record());
    const resumed = new ResultsFile(path, { resume: true });
    expect(resumed.has("matmul-512", provenance, asked)).toBe(true);
    expect(resumed.has("softmax", provenance, asked)).toBe(false);
    expect(resumed.has("matmul-512", { ...provenance, commit: "def5678" }, asked)).toBe(false);
    expect(resumed.has("matmul-512", { ...provenance, adapter: "SwiftShader" }, asked)).toBe(false);
    expect(resumed.has("matmul-512", { ...provenance, versions: { tfjs: "4.23.0" } }, asked)).toBe(false);
  });

  test("measures again what was asked for with fewer rounds or contenders", () => {
    const results = new ResultsFile(newPath(), { resume: false });
    results.add(record());
    expect(results.has("matmul-512", provenance, { ...asked, rounds: 15 })).toBe(false);
    expect(results.has("matmul-512", provenance, { ...asked, contenders: ["ours", "ort-cpu"] })).toBe(false);
  });

  test("starts empty unless resumed", () => {
    const path = newPath();
    new ResultsFile(path, { resume: false }).add(record());
    expect(new ResultsFile(path, { resume: false }).records).toEqual([]);
  });

  test("leaves out a line that an interruption cut short", () => {
    const path = newPath();
    new ResultsFile(path, { resume: false }).add(record());
    appendFileSync(path, JSON.stringify(record()).slice(0, 100));
    expect(new ResultsFile(path, { resume: true }).records).toHaveLength(1);
  });
});
