import { Rng, tensor } from "@omni/core";
import { describe, expect, test } from "vitest";
import { patchify, unpatchify } from "./patch-embed.ts";

describe("patchify", () => {
  test("puts a 2×2 patch of all channels in one token, (c, y, x)", async () => {
    const values = tensor(
      Float32Array.from({ length: 2 * 4 * 4 }, (_, i) => i),
      { shape: [1, 2, 1, 4, 4] },
    );
    const tokens = patchify(values);
    expect(tokens.shape).toEqual([1, 1, 4, 8]);
    // second patch of the first row: columns 2 and 3 of rows 0 and 1, channel 0 then channel 1 (16 further)
    expect([...(await tokens.data())].slice(8, 16)).toEqual([2, 3, 6, 7, 18, 19, 22, 23]);
  });

  test("is undone by unpatchify", async () => {
    const values = new Rng(1).normal([2, 3, 2, 4, 6]);
    const back = unpatchify(patchify(values), { rows: 2, columns: 3 });
    expect(back.shape).toEqual(values.shape);
    expect(await back.data()).toEqual(await values.data());
  });
});
