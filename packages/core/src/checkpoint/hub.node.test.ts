import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DownloadProgress } from "./hub-request.ts";
import { parseHubUrl } from "./hub-place.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { openSource } from "./open-source.ts";
import { writeSafetensors } from "./safetensors-writer.ts";

const COMMIT = "a".repeat(40);
const weights = writeSafetensors({ w: { shape: [300_000], data: new Float32Array(300_000).map((_, i) => i) } });
const small = new TextEncoder().encode('{"weight_map":{"w":"model.safetensors"}}');

/** A hub on this machine that speaks the API of huggingface.co, with one model of two files. */
class LocalHub {
  readonly log: string[] = [];
  readonly files: Record<string, Uint8Array> = { "model.safetensors": weights, "sub/other.safetensors": weights };
  /** Ends each answer with bytes of a file after so many. */
  breakAfter = Number.POSITIVE_INFINITY;
  /** Changes bytes on their way. */
  damage = false;
  token: string | null = null;
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = "", headers } = request;
    this.log.push(`${request.method} ${url}${headers.range === undefined ? "" : ` ${headers.range}`}`);
    if (this.token !== null && headers.authorization !== `Bearer ${this.token}`)
      return void response.writeHead(401).end();
    const json = (value: unknown) =>
      void response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
    if (/^\/api\/models\/owner\/name\/revision\/(?:main|v1|a{40})$/.test(url))
      return json({ sha: COMMIT, siblings: Object.keys(this.files).map((rfilename) => ({ rfilename })) });
    if (url === `/api/models/owner/name/paths-info/${COMMIT}`) {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { paths } = JSON.parse(body) as { paths: string[] };
        json(paths.flatMap((path) => (this.files[path] ? [entryOf(path, this.files[path])] : [])));
      });
      return;
    }
    const file = this.files[decodeURIComponent(url.replace(`/owner/name/resolve/${COMMIT}/`, ""))];
    if (!file) return void response.writeHead(404).end();
    const begin = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    const bytes = Uint8Array.from(file.subarray(begin));
    if (this.damage) bytes[bytes.length - 1] = 77;
    const range = { "Content-Range": `bytes ${begin}-${file.length - 1}/${file.length}` };
    response.writeHead(begin > 0 ? 206 : 200, { "Content-Length": bytes.length, ...(begin > 0 && range) });
    if (bytes.length <= this.breakAfter) return void response.end(bytes);
    response.write(bytes.subarray(0, this.breakAfter), () => setTimeout(() => response.destroy(), 20));
  }
}

/** As the hub lists files: large ones with SHA-256, small ones with git's hash. */
function entryOf(path: string, bytes: Uint8Array): object {
  const git = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  const lfs = { oid: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
  return { type: "file", path, size: bytes.length, oid: git, ...(bytes.length > 1000 && { lfs }) };
}

let hub: LocalHub;
let endpoint: string;
let cacheFolder: string;
beforeEach(async () => {
  hub = new LocalHub();
  endpoint = await hub.start();
  cacheFolder = await mkdtemp(join(tmpdir(), "omni-hub-"));
});
afterEach(async () => {
  await hub.stop();
  await rm(cacheFolder, { recursive: true, force: true });
});

const options = () => ({ endpoint, cacheFolder, offline: false });
const bytesRequests = () => hub.log.filter((line) => line.includes("/resolve/"));
const blobs = () => readdir(join(cacheFolder, "models--owner--name/blobs"));

describe("hf:// sources", () => {
  test("are downloaded once, checked, and laid out as huggingface_hub's cache", async () => {
    const progress: DownloadProgress[] = [];
    const place = "hf://owner/name/model.safetensors";
    const first = await openCheckpoint(place, { ...options(), onDownload: (p) => progress.push(p) });
    expect((await first.tensors["w"]?.range("f32", 299_999, 1))?.[0]).toBe(299_999);
    await first.close();
    expect(progress.at(-1)).toEqual({ file: place, received: weights.length, total: weights.length });
    const digest = createHash("sha256").update(weights).digest("hex");
    expect(await blobs()).toEqual([digest]);
    const held = join(cacheFolder, "models--owner--name/snapshots", COMMIT, "model.safetensors");
    expect((await readFile(held)).equals(weights)).toBe(true);
    expect(await readFile(join(cacheFolder, "models--owner--name/refs/main"), "utf8")).toBe(COMMIT);
    await (await openCheckpoint(place, options())).close();
    expect(bytesRequests()).toHaveLength(1);
  });

  test("one blob serves equal files", async () => {
    await (await openSource("hf://owner/name/model.safetensors", options())).close();
    await (await openSource("hf://owner/name/sub/other.safetensors", options())).close();
    expect(bytesRequests()).toHaveLength(1);
    expect(await blobs()).toHaveLength(1);
  });

  test("a place without a file is the folder's checkpoint", async () => {
    const source = await openSource("hf://owner/name@v1/sub", options());
    expect(source.name).toBe("hf://owner/name@v1/sub/other.safetensors");
    expect(source.size).toBe(weights.length);
    await source.close();
  });

  test("an index finds its shards beside it", async () => {
    hub.files["model.safetensors.index.json"] = small;
    const checkpoint = await openCheckpoint("hf://owner/name", options());
    expect((await checkpoint.tensors["w"]?.range("f32", 5, 1))?.[0]).toBe(5);
    await checkpoint.close();
  });

  test("go on where a connection broke off, within a call", async () => {
    hub.breakAfter = 500_000;
    const source = await openSource("hf://owner/name/model.safetensors", options());
    expect(await source.read(weights.length - 4, 4)).toEqual(weights.subarray(-4));
    await source.close();
    const ranges = bytesRequests().map((line) => / bytes=(\d+)-$/.exec(line)?.[1] ?? "0");
    // 1.2 MB in pieces of at most half a MB; each attempt begins where the one before ended
    expect(ranges.length).toBeGreaterThanOrEqual(3);
    expect(ranges.map(Number)).toEqual(ranges.map(Number).toSorted((a, b) => a - b));
    expect(Number(ranges[1])).toBeGreaterThan(0);
  });

  test("go on where an earlier process was ended", async () => {
    await (await openSource("hf://owner/name/model.safetensors", options())).close();
    const folder = join(cacheFolder, "models--owner--name");
    const [digest = ""] = await blobs();
    const partial = join(folder, "blobs", `${digest}.incomplete`);
    await writeFile(partial, weights);
    await truncate(partial, 700_000);
    await rm(join(folder, "blobs", digest));
    await rm(join(folder, "snapshots"), { recursive: true });
    const source = await openSource("hf://owner/name/model.safetensors", options());
    expect(source.size).toBe(weights.length);
    await source.close();
    expect(bytesRequests().at(-1)).toContain(" bytes=700000-");
    expect((await stat(join(folder, "blobs", digest))).size).toBe(weights.length);
  });

  test("a damaged download is thrown away", async () => {
    hub.damage = true;
    await expect(openSource("hf://owner/name/model.safetensors", options())).rejects.toThrow(
      /the download must have the sha256 that the hub told, [0-9a-f]{64}, got [0-9a-f]{64}; it was damaged/,
    );
    expect(await blobs()).toEqual([]);
    hub.damage = false;
    await (await openSource("hf://owner/name/model.safetensors", options())).close();
  });

  test("without a network what is in the cache still opens, and what is not says so", async () => {
    await (await openSource("hf://owner/name/model.safetensors", options())).close();
    await hub.stop();
    await (await openSource("hf://owner/name/model.safetensors", options())).close();
    await (await openSource("hf://owner/name", options())).close();
    const missing = openSource("hf://owner/else/model.safetensors", options());
    await expect(missing).rejects.toThrow(
      new RegExp(
        `^hf://owner/else/model\\.safetensors: must be in the cache \\(.*\\), or ${endpoint} must be in reach, got neither: .*(?:ECONNREFUSED|refused).*; connect, set HF_ENDPOINT to a mirror, or download`,
      ),
    );
    await expect(openSource("hf://owner/name/sub", { ...options(), offline: true })).rejects.toThrow(
      "must hold a checkpoint",
    );
  });

  test("offline: asks for nothing", async () => {
    const asked = openSource("hf://owner/name/model.safetensors", { ...options(), offline: true });
    await expect(asked).rejects.toThrow("got neither: HF_HUB_OFFLINE");
    expect(hub.log).toEqual([]);
  });

  test("a token is sent, and asked for where it lacks", async () => {
    hub.token = "secret";
    const place = "hf://owner/name/model.safetensors";
    await expect(openSource(place, options())).rejects.toThrow("set HF_TOKEN to a token that may read it");
    await (await openSource(place, { ...options(), token: "secret" })).close();
  });

  test("a model that is not there is no network failure", async () => {
    await expect(openSource("hf://owner/nothing", options())).rejects.toThrow(
      "HTTP 404, no such model, revision or file",
    );
    await expect(openSource("hf://owner/name/none.pth", options())).rejects.toThrow("a folder must hold a checkpoint");
  });

  test("names that leave the cache are not taken from the hub", async () => {
    hub.files["../../evil.safetensors"] = weights;
    await expect(openSource("hf://owner/name/../../evil.safetensors", options())).rejects.toThrow(
      "must read hf://owner/name",
    );
    await (await openSource("hf://owner/name", options())).close();
    expect(await readdir(cacheFolder)).toEqual(["models--owner--name"]);
  });
});

describe("parseHubUrl", () => {
  test.each([
    ["hf://a/b", { repository: "a/b", revision: "main", path: "" }],
    ["hf:a/b/c/d.pth", { repository: "a/b", revision: "main", path: "c/d.pth" }],
    ["hf://models/a/b.1-x@refs%2Fpr%2F3/c", { repository: "a/b.1-x", revision: "refs/pr/3", path: "c" }],
  ])("%s", (url, place) => expect(parseHubUrl(url)).toEqual(place));

  test.each([
    "hf://",
    "hf://a",
    "hf://../b/c",
    "hf://datasets/a",
    "hf://a/b/../../c",
    "hf://a b/c",
    "hf://a/b@..%2F..%2Fx",
    "hf://a/b@%zz",
  ])("refuses %s", (url) => {
    expect(() => parseHubUrl(url)).toThrow("must read hf://owner/name[@revision][/path]");
  });
});
