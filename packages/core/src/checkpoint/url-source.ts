import { blobSource, type ByteSource, checkRange } from "./byte-source.ts";
import { checkpointError } from "./checkpoint-error.ts";

/** Options of the network; see `openUrl`. */
export interface UrlOptions {
  /** Sent with each request, for a host that wants a token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends requests early; what waits for them rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Stands in for the global `fetch`. */
  readonly fetch?: typeof fetch;
}

// Small tensors in a row come out of one request.
const WINDOW_BYTES = 1 << 20;
// A server without ranges sends the whole file, which then has to be held.
const MAX_WHOLE_BYTES = 1 << 30;
const ATTEMPTS = 3;
const FIRST_RETRY_MS = 250;

/**
 * A source over HTTP. Reads are Range requests, small ones of at least 1 MiB whose rest serves the next read; a failed request is
 * tried three times. A server that knows no ranges is asked for the whole file, at most 1 GiB. A file that changes while it is
 * read is noticed by its ETag or size.
 *
 * @throws CheckpointError when the file cannot be had
 */
export async function openUrl(url: URL, options: UrlOptions = {}): Promise<ByteSource> {
  const name = shownUrl(url);
  const first = await requestWithRetry(url, options, 0, WINDOW_BYTES);
  if (first.status === 200) return blobSource(await wholeBody(first, name), name);
  const { size, etag } = describeFile(first, name);
  const start = await body(first, Math.min(size, WINDOW_BYTES), name);
  let window: { begin: number; bytes: Promise<Uint8Array> } | undefined = { begin: 0, bytes: Promise.resolve(start) };

  const fetchBytes = async (begin: number, length: number): Promise<Uint8Array> => {
    const response = await requestWithRetry(url, options, begin, length);
    const now = response.status === 206 ? describeFile(response, name) : undefined;
    if (now === undefined || now.begin !== begin || now.size !== size || now.etag !== etag)
      throw checkpointError({
        source: name,
        rule: `the server must go on sending the file of ${size} bytes it began with`,
        got:
          now === undefined ? `HTTP ${response.status}` : `bytes from ${now.begin} of ${now.size}, or another version`,
        remedy: "load it again",
      });
    return body(response, length, name);
  };

  return {
    name,
    size,
    read: async (offset, length) => {
      checkRange(name, size, offset, length);
      if (length === 0) return new Uint8Array(0);
      if (length >= WINDOW_BYTES) return fetchBytes(offset, length);
      if (window === undefined || offset < window.begin || offset + length > window.begin + WINDOW_BYTES)
        window = { begin: offset, bytes: fetchBytes(offset, Math.min(WINDOW_BYTES, size - offset)) };
      const { begin, bytes } = window;
      try {
        return (await bytes).subarray(offset - begin, offset - begin + length);
      } catch (error) {
        // A window that failed must not fail the reads to come.
        if (window.bytes === bytes) window = undefined;
        throw error;
      }
    },
    sibling: (fileName) => openUrl(siblingUrl(url, fileName), options),
    close: async () => {},
  };
}

/** Without query and credentials, which may hold a token. */
function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function siblingUrl(url: URL, fileName: string): URL {
  const sibling = new URL(encodeURIComponent(fileName), url);
  sibling.search = url.search;
  return sibling;
}

async function requestWithRetry(url: URL, options: UrlOptions, begin: number, length: number): Promise<Response> {
  const name = shownUrl(url);
  const headers = { ...options.headers, Range: `bytes=${begin}-${begin + length - 1}` };
  for (let attempt = 1; ; attempt++) {
    let got: string;
    let cause: unknown;
    let final = attempt === ATTEMPTS;
    try {
      const response = await (options.fetch ?? fetch)(url, { headers, signal: options.signal ?? null });
      // 416 is how an empty file answers; describeFile reads its size.
      if (response.status === 206 || response.status === 200 || (response.status === 416 && begin === 0))
        return response;
      await response.body?.cancel();
      got = `HTTP ${response.status}`;
      final ||= response.status < 500 && response.status !== 408 && response.status !== 429;
    } catch (error) {
      options.signal?.throwIfAborted();
      got = error instanceof Error ? error.message : "an error";
      cause = error;
    }
    if (final)
      throw checkpointError({
        source: name,
        rule: "the server must send the file",
        got,
        remedy: "check the address and the connection",
        cause,
      });
    await new Promise((resolve) => setTimeout(resolve, FIRST_RETRY_MS * 4 ** (attempt - 1)));
  }
}

function describeFile(response: Response, source: string): { begin: number; size: number; etag: string | null } {
  const range = response.headers.get("Content-Range") ?? "";
  const match = /^bytes (?:(\d{1,15})-\d{1,15}|\*)\/(\d{1,15})$/.exec(range.trim());
  if (match === null)
    throw checkpointError({
      source,
      rule: "the server must say which bytes of how many it sends (Content-Range)",
      got: range === "" ? "nothing" : range.slice(0, 80),
      remedy: "if it is on another origin, let it expose Content-Range (Access-Control-Expose-Headers)",
    });
  return { begin: Number(match[1] ?? 0), size: Number(match[2]), etag: response.headers.get("ETag") };
}

/** The body, of exactly `length` bytes: a server that sends more is cut off, not buffered. */
async function body(response: Response, length: number, source: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  if (response.status === 206)
    for await (const part of parts(response, source)) {
      if (filled + part.length <= length) bytes.set(part, filled);
      filled += part.length;
      if (filled > length) break;
    }
  if (filled === length) return bytes;
  throw checkpointError({
    source,
    rule: `the server must send the ${length} bytes asked for`,
    got: filled > length ? "more" : `${filled}`,
    remedy: "load it again",
  });
}

async function wholeBody(response: Response, source: string): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of parts(response, source)) {
    pieces.push(part);
    size += part.length;
    if (size > MAX_WHOLE_BYTES)
      throw checkpointError({
        source,
        rule: "a server of a file above 1 GiB must support Range requests",
        got: "the whole file",
        remedy: "use another server or download the file",
      });
  }
  return new Blob(pieces);
}

async function* parts(response: Response, source: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : "an error";
    throw checkpointError({ source, rule: "the transfer must finish", got, remedy: "load it again", cause });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
