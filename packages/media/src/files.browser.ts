import type { Files } from "./files.ts";
import { MediaError, causeText } from "./media-error.ts";
import { readerOf } from "./source.ts";

/** Files by URL, in a browser: readable, never writable. */
export const files: Files = {
  async open(path) {
    const response = await fetch(path).catch((cause: unknown) => {
      throw new MediaError("missing", path, `it cannot be fetched (${causeText(cause)}); check the address`, cause);
    });
    if (!response.ok) {
      throw new MediaError("missing", path, `the server answers ${response.status}; check the address`);
    }
    return readerOf(await response.blob(), path);
  },
  write: (path) => Promise.reject(noPaths(path)),
  create: (path) => Promise.reject(noPaths(path)),
};

function noPaths(path: string): MediaError {
  return new MediaError("unwritable", path, "a page cannot write to a path; leave the path out and use the bytes");
}
