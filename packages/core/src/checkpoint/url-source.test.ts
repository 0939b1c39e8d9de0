import { describe, expect, test } from "vitest";
import { openCheckpoint } from "./open-checkpoint.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import { openUrl } from "./url-source.ts";

const file = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 31);
const url = new URL("https://host.example/weights/model.safetensors?token=secret");

interface Served {
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Changes an answer on its way, by the request's number from 1. */
  readonly alter?: (response: Response, request: number) => Response | Promise<Response>;
}

/** A server of RFC 9110 ranges, as `fetch`, with a log of the ranges it was asked for. */
function server({ files = { "/weights/model.safetensors": file }, alter = (response) => response }: Served = {}) {
  const log: string[] = [];
  const serve: typeof fetch = async (input, init) => {
    const range = new Headers(init?.headers).get("Range") ?? "";
    log.push(range);
    const bytes = files[new URL(input instanceof Request ? input.url : input).pathname];
    return alter(bytes === undefined ? new Response("none", { status: 404 }) : ranged(bytes, range), log.length);
  };
  return { log, fetch: serve };
}

function ranged(bytes: Uint8Array, range: string): Response {
  const [, first = "", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const [begin, end] = [Number(first), Math.min(Number(last) + 1, bytes.length)];
  if (begin >= bytes.length)
    return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${bytes.length}` } });
  return new Response(Uint8Array.from(bytes.subarray(begin, end)), {
    status: 206,
    headers: { "Content-Range": `bytes ${begin}-${end - 1}/${bytes.length}`, ETag: '"v1"' },
  });
}

describe("openUrl", () => {
  test("reads any range, small neighbours out of one request", async () => {
    const { log, fetch } = server();
    const source = await openUrl(url, { fetch });
    expect(source.size).toBe(file.length);
    for (const [offset, length] of [
      [0, 8],
      [8, 5000],
      [1_048_000, 576],
      [1_500_000, 10],
      [1_500_010, 999_000],
      [10, 1_200_000],
      [2_999_999, 1],
      [3_000_000, 0],
    ] as const) {
      const bytes = await source.read(offset, length);
      expect(bytes.length).toBe(length);
      expect(bytes.findIndex((byte, i) => byte !== file[offset + i])).toBe(-1);
    }
    expect(log).toEqual(["bytes=0-1048575", "bytes=1500000-2548575", "bytes=10-1200009", "bytes=2999999-2999999"]);
    await expect(source.read(2_999_999, 2)).rejects.toThrow("reads must stay within its 3000000 bytes");
  });

  test("opens a checkpoint, and the files of an index beside it", async () => {
    const shard = (value: number) => writeSafetensors({ [`w${value}`]: { shape: [1], data: Float32Array.of(value) } });
    const index = '{"weight_map":{"w1":"a 1.safetensors","w2":"b.safetensors"}}';
    const { fetch } = server({
      files: {
        "/weights/model.safetensors.index.json": new TextEncoder().encode(index),
        "/weights/a%201.safetensors": shard(1),
        "/weights/b.safetensors": shard(2),
      },
    });
    const { tensors } = await openCheckpoint("https://host.example/weights/model.safetensors.index.json", { fetch });
    expect(await tensors["w1"]?.data()).toEqual(Float32Array.of(1));
    expect(await tensors["w2"]?.data()).toEqual(Float32Array.of(2));
  });

  test("sees that an empty file is empty", async () => {
    const source = await openUrl(url, server({ files: { "/weights/model.safetensors": new Uint8Array(0) } }));
    expect(source.size).toBe(0);
  });

  test("holds the whole file of a server without ranges", async () => {
    const source = await openUrl(url, { fetch: async () => new Response(file) });
    expect(source.size).toBe(file.length);
    expect(await source.read(2_000_000, 3)).toEqual(file.subarray(2_000_000, 2_000_003));
  });

  test("tries again after a busy server and a broken connection", async () => {
    const { log, fetch } = server({
      alter: (response, request) => {
        if (request === 1) return new Response("busy", { status: 503 });
        return request === 2 ? Promise.reject(new TypeError("fetch failed")) : response;
      },
    });
    expect((await openUrl(url, { fetch })).size).toBe(file.length);
    expect(log).toHaveLength(3);
  });

  test("refuses at once where trying again is of no use, and keeps the query to itself", async () => {
    const { log, fetch } = server({ files: {} });
    await expect(openUrl(url, { fetch })).rejects.toThrow(
      /^https:\/\/host\.example\/weights\/model\.safetensors: the server must send the file, got HTTP 404; check the address/,
    );
    expect(log).toHaveLength(1);
  });

  const replaced = (headers: Record<string, string>) => (response: Response) =>
    new Response(response.body, { status: 206, headers: { ...Object.fromEntries(response.headers), ...headers } });

  test.each([
    ["a size that is not given", replaced({ "Content-Range": "bytes 0-1048575/*" }), "Content-Range"],
    ["a body cut short", () => ranged(file, "bytes=0-99"), "must send the 1048576 bytes asked for, got 100"],
    [
      "a body that does not end",
      () => new Response(endless(), { status: 206, headers: { "Content-Range": `bytes 0-1048575/${file.length}` } }),
      "must send the 1048576 bytes asked for, got more",
    ],
  ])("notices %s", async (_, alter, message) => {
    await expect(openUrl(url, server({ alter }))).rejects.toThrow(message);
  });

  test("notices that the file changed between two reads", async () => {
    const changed = server({ alter: (r, request) => (request > 1 ? replaced({ ETag: '"v2"' })(r) : r) });
    const source = await openUrl(url, changed);
    await expect(source.read(2_000_000, 8)).rejects.toThrow("or another version; load it again");
  });

  test("goes on after a read that failed", async () => {
    const source = await openUrl(url, server({ alter: (r, n) => (n === 2 ? new Response("", { status: 403 }) : r) }));
    await expect(source.read(2_000_000, 8)).rejects.toThrow("HTTP 403");
    expect(await source.read(2_000_000, 8)).toEqual(file.subarray(2_000_000, 2_000_008));
  });

  test("stops with the caller's reason", async () => {
    const reason = new Error("no longer wanted");
    const fetch = (_: unknown, init?: RequestInit) => Promise.reject(init?.signal?.reason as Error);
    await expect(openUrl(url, { fetch, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1 << 16)) });
}
