import { blobSource, type ByteSource, bytesSource } from "./byte-source.ts";
import { openHub } from "./hub.ts";
import { isHubUrl, parseHubUrl } from "./hub-place.ts";
import type { HubOptions } from "./hub-request.ts";
import { openUrl } from "./url-source.ts";

/** What `openSource` takes: bytes, a Blob or File, an http(s), hf or file URL, in Node the path of a file or folder, or an open source, passed through. */
export type ByteInput = Uint8Array | ArrayBuffer | Blob | URL | string | ByteSource;

/**
 * Opens whatever holds a checkpoint. A string is a path in Node and a URL relative to the page in a browser, unless it begins
 * with http:// or https://. `hf://owner/name[@revision][/path]` is a file on the hub. A folder stands for the one checkpoint in it.
 *
 * @throws CheckpointError when there is nothing to read
 */
export async function openSource(input: ByteInput, options: HubOptions = {}): Promise<ByteSource> {
  if (input instanceof Uint8Array) return bytesSource(input);
  if (input instanceof ArrayBuffer) return bytesSource(new Uint8Array(input));
  if (input instanceof Blob) return blobSource(input);
  if (typeof input === "object" && "read" in input) return input;
  if (isHubUrl(String(input))) return openHub(parseHubUrl(String(input)), options);
  const url = webUrl(input);
  if (url !== undefined) return openUrl(url, options);
  const [{ openFile }, { checkpointIn, isFolder, within }] = await Promise.all([
    import("./file.node.ts"),
    import("./folder.node.ts"),
  ]);
  return openFile((await isFolder(input)) ? within(input, await checkpointIn(input)) : input);
}

/** The URL of an input that is not a file's, or undefined. */
function webUrl(input: URL | string): URL | undefined {
  if (input instanceof URL) return input.protocol === "file:" ? undefined : input;
  if (/^https?:\/\//i.test(input)) return URL.canParse(input) ? new URL(input) : undefined;
  return typeof location === "undefined" ? undefined : new URL(input, location.href);
}
