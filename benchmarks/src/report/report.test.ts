import { describe, expect, test } from "vitest";
import { provenance, record, timed } from "../record/record.fixture.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";
import { sectionsOf } from "./sections.ts";

const wrong = { id: "ort", version: "", status: "wrong", cold: 3, error: 0.07 } as const;
const failed = { id: "jax", version: "", status: "failed", cause: "no <adapter>" } as const;
const refusals = [{ runtime: "bun", adapter: "gpu", cause: "it opens llvmpipe" }] as const;
const sections = sectionsOf([
  record(),
  record({ op: "softmax", contenders: [timed("ours", 10), timed("tfjs", 80), wrong, failed] }),
  record({ provenance: { ...provenance, runtime: "deno", runtimeVersion: "2.0.0" }, contenders: [timed("ours", 12)] }),
]);

describe("sectionsOf", () => {
  test("has a section for each runtime and adapter", () => {
    expect(sections.map(({ title }) => title)).toEqual(["Node 20.0.0, llvmpipe 25", "Deno 2.0.0, llvmpipe 25"]);
  });

  test("takes the last of two measurements of an op", () => {
    const [again] = sectionsOf([record(), record({ contenders: [timed("ours", 5)] })]);
    expect(again?.rows.map(({ cells }) => cells[0]?.ms)).toEqual([5]);
  });
});

describe("markdownReport", () => {
  const text = markdownReport(sections, refusals);

  test("gives medians with their ratios to ours", () => {
    expect(text).toContain("| matmul 512³ | 10.0 | 9.00 (0.90×) | 50.0 (5.00×) | 30.0 (3.00×) | 25.0 (2.50×) |");
  });

  test("names wrong and failed contenders in place of a time, with the cause below", () => {
    expect(text).toContain("| softmax [4096,1024] | 10.0 | – | 80.0 (8.00×) | failed | wrong |");
    expect(text).toContain("ort gives a wrong answer, relative error 7.0e-2");
    expect(text).toContain("jax failed: no <adapter>");
    expect(text).toContain("bun, gpu: it opens llvmpipe");
  });

  test("names adapter, commit, versions and ceilings", () => {
    for (const part of ["llvmpipe 25", "abc1234", "tfjs 4.22.0", "100 GFLOP/s", "8.00 GB/s"])
      expect(text).toContain(part);
  });

  test("holds what Node measured against the targets", () => {
    expect(text).toMatch(/\| square products \| matmul 512³ \| ≥ 4× jax-js \| 3\.00× \| \*\*missed\*\*, 25 % short \|/);
  });

  test("compares runtimes", () => {
    // the best peer of Node is ORT; Deno has none
    expect(text).toContain("| matmul 512³ | 10.0 (2.50×) | 12.0 |");
  });

  test("says when the machine was busy", () => {
    expect(text).not.toContain("busy");
    expect(markdownReport(sectionsOf([record({ load: 1.5 })]), [])).toContain("The machine was busy");
  });
});

describe("htmlReport", () => {
  const html = htmlReport(sections, refusals);

  test("needs no network and no script", () => {
    expect(html).not.toMatch(/<script|https?:|src=|@import|url\(/);
  });

  test("draws a dot for each timed contender but ours", () => {
    const [first = ""] = html.split("</svg></div>");
    // raw, tfjs, jax and ort of the product, tfjs of the softmax
    expect(first.match(/<g class="[a-z-]+"><title>/g)).toHaveLength(5);
  });

  test("escapes what others said", () => {
    expect(html).toContain("no &lt;adapter&gt;");
    expect(html).not.toContain("no <adapter>");
  });
});
