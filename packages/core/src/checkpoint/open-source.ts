import { blobSource, type ByteSource, bytesSource } from "./byte-source.ts";
import { openUrl, type UrlOptions } from "./url-source.ts";

/** What `openSource` takes: bytes, a Blob or File, an http(s) or file URL, in Node a path, or an open source, passed through. */
export type ByteInput = Uint8Array | ArrayBuffer | Blob | URL | string | ByteSource;

/**
 * Opens whatever holds a checkpoint. A string is a path in Node and a URL relative to the page in a browser, unless it begins
 * with http:// or https://.
 *
 * @throws CheckpointError when there is nothing to read
 */
export async function openSource(input: ByteInput, options: UrlOptions = {}): Promise<ByteSource> {
  if (input instanceof Uint8Array) return bytesSource(input);
  if (input instanceof ArrayBuffer) return bytesSource(new Uint8Array(input));
  if (input instanceof Blob) return blobSource(input);
  if (typeof input === "object" && "read" in input) return input;
  const url = webUrl(input);
  if (url !== undefined) return openUrl(url, options);
  const { openFile } = await import("./file.node.ts");
  return openFile(input);
}

/** The URL of an input that is not a file's, or undefined. */
function webUrl(input: URL | string): URL | undefined {
  if (input instanceof URL) return input.protocol === "file:" ? undefined : input;
  if (/^https?:\/\//i.test(input)) return URL.canParse(input) ? new URL(input) : undefined;
  return typeof location === "undefined" ? undefined : new URL(input, location.href);
}
