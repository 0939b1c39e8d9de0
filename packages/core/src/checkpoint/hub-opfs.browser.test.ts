import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openCheckpoint } from "./open-checkpoint.ts";
import { openSource } from "./open-source.ts";
import { writeSafetensors } from "./safetensors-writer.ts";

const COMMIT = "b".repeat(40);
const PLACE = "hf://owner/name/model.safetensors";
// two pieces and a bit
const weights = writeSafetensors({ w: { shape: [9_000_000], data: new Float32Array(9_000_000).map((_, i) => i) } });

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The hub's API, answered in the page. */
class PageHub {
  readonly ranges: string[] = [];
  online = true;
  damage = false;
  /** Breaks each answer off after so many bytes. */
  breakAfter = Number.POSITIVE_INFINITY;

  readonly fetch: typeof fetch = async (input, init) => {
    if (!this.online) throw new TypeError("no network");
    const url = input instanceof Request ? input.url : String(input);
    if (url.endsWith("/api/models/owner/name/revision/main"))
      return Response.json({ sha: COMMIT, siblings: [{ rfilename: "model.safetensors" }, { rfilename: "notes.txt" }] });
    if (url.includes("/paths-info/"))
      return Response.json([{ size: weights.length, oid: "0".repeat(40), lfs: { oid: await digest } }]);
    const range = new Headers(init?.headers).get("Range");
    this.ranges.push(range ?? "whole");
    const [begin = 0, last = weights.length - 1] = (range?.slice(6).split("-") ?? [])
      .filter((part) => part !== "")
      .map(Number);
    const bytes = weights.slice(begin, last + 1);
    if (this.damage) bytes[bytes.length - 1] = 77;
    const headers = { "Content-Range": `bytes ${begin}-${begin + bytes.length - 1}/${weights.length}`, ETag: '"1"' };
    return new Response(this.#stream(bytes), { status: range === null ? 200 : 206, headers });
  };

  #stream(bytes: Uint8Array): ReadableStream<Uint8Array> {
    const [size, whole] = [1 << 20, bytes.length <= this.breakAfter];
    const end = Math.min(bytes.length, this.breakAfter);
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at < end) controller.enqueue(bytes.slice(at, Math.min(end, (at += size))));
        else if (whole) controller.close();
        else controller.error(new TypeError("broken"));
      },
    });
  }
}

const digest = crypto.subtle.digest("SHA-256", weights as Uint8Array<ArrayBuffer>).then(hex);
let hub: PageHub;
let cacheFolder: string;
beforeEach(() => {
  hub = new PageHub();
  cacheFolder = `omni-hub-test-${crypto.randomUUID()}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await (await navigator.storage.getDirectory()).removeEntry(cacheFolder, { recursive: true });
});
const options = () => ({ endpoint: "https://hub.test", cacheFolder, fetch: hub.fetch });

describe("hf:// sources in a page", () => {
  test("are downloaded once, read where they lie, and open without a network", async () => {
    const seen: number[] = [];
    const first = await openCheckpoint(PLACE, { ...options(), onDownload: ({ received }) => seen.push(received) });
    expect((await first.tensors["w"]?.range("f32", 8_999_999, 1))?.[0]).toBe(8_999_999);
    expect(seen.at(-1)).toBe(weights.length);
    hub.online = false;
    const again = await openSource("hf://owner/name", options());
    expect([again.name, again.size]).toEqual([PLACE, weights.length]);
    // across the edge of two pieces
    const edge = 2 ** 24;
    expect(await again.read(edge - 8, 16)).toEqual(weights.slice(edge - 8, edge + 8));
    expect(hub.ranges).toEqual(["whole"]);
    await expect(openSource("hf://owner/other/a.safetensors", options())).rejects.toThrow(
      "must be in the cache (this site's private storage), or https://hub.test must be in reach, got neither: no network",
    );
  });

  test("go on where a page was left, and where a connection breaks", async () => {
    hub.breakAfter = 20_000_000;
    const leave = new AbortController();
    const left = openSource(PLACE, {
      ...options(),
      signal: leave.signal,
      onDownload: ({ received }) => received > 18_000_000 && leave.abort(),
    });
    await expect(left).rejects.toThrow();
    const source = await openSource(PLACE, options());
    expect(await source.read(weights.length - 8, 8)).toEqual(weights.slice(-8));
    const begins = hub.ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
    expect(begins.length).toBeGreaterThanOrEqual(1);
    expect(begins[0]).toBeGreaterThan(18_000_000);
  });

  test("two tabs at the same file fetch it once", async () => {
    const [a, b] = await Promise.all([openSource(PLACE, options()), openSource(PLACE, options())]);
    expect(await a.read(weights.length - 8, 8)).toEqual(await b.read(weights.length - 8, 8));
    expect(hub.ranges).toEqual(["whole"]);
  });

  test("a damaged download is thrown away", async () => {
    hub.damage = true;
    await expect(openSource(PLACE, options())).rejects.toThrow(/must have the sha256 that the hub told/);
    hub.damage = false;
    await openSource(PLACE, options());
    expect(hub.ranges).toEqual(["whole", "whole"]);
  });

  test("are read by ranges where there is no room for them", async () => {
    vi.spyOn(navigator.storage, "estimate").mockResolvedValue({ quota: 1000, usage: 0 });
    const source = await openSource(PLACE, options());
    expect(await source.read(100, 4)).toEqual(weights.slice(100, 104));
    expect(hub.ranges.every((range) => range.startsWith("bytes="))).toBe(true);
  });
});
