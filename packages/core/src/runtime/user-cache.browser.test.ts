import { afterEach, describe, expect, test, vi } from "vitest";
import { readCached, writeCached } from "./user-cache.browser.ts";

const NAME = "kernels-test.json";

describe("the user's cache in a browser", () => {
  afterEach(async () => {
    vi.restoreAllMocks();
    localStorage.clear();
    const root = await navigator.storage.getDirectory();
    await root.removeEntry("omni", { recursive: true }).catch(() => undefined);
  });

  test("gives back what was written last, null before", async () => {
    expect(await readCached(NAME)).toBeNull();
    await writeCached(NAME, "a longer text");
    await writeCached(NAME, "a text");
    expect(await readCached(NAME)).toBe("a text");
    expect(localStorage.length).toBe(0);
  });

  test("takes localStorage where the page has no private files", async () => {
    vi.spyOn(navigator.storage, "getDirectory").mockRejectedValue(new Error("not here"));
    await writeCached(NAME, "a text");
    expect(await readCached(NAME)).toBe("a text");
    vi.restoreAllMocks();
    expect(localStorage.length).toBe(1);
  });
});
