import { checkpointError } from "./checkpoint-error.ts";
import { type HubPlace, placeName } from "./hub-place.ts";
import type { HubStore } from "./hub-store.ts";
import type { UrlOptions } from "./url-source.ts";

/** A download that goes on. */
export interface DownloadProgress {
  /** File on the hub. */
  readonly file: string;
  /** Bytes that are there, those of earlier attempts included. */
  readonly received: number;
  /** Bytes of the file. */
  readonly total: number;
}

/** Where and how the hub is asked. In Node each has an environment variable of Hugging Face's own for its default. */
export interface HubOptions extends UrlOptions {
  /** Address of the hub or a mirror. Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string;
  /** For private and gated models. Default: `HF_TOKEN`. */
  readonly token?: string;
  /** Folder of the cache; in a page, of the origin's private file system. Default in Node: `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`: shared with Python's. */
  readonly cacheFolder?: string;
  /** Asks the network for nothing. Default: whether `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean;
  /** Called while a file comes in. */
  readonly onDownload?: (progress: DownloadProgress) => void;
}

/** The hub's address without an end slash, and what requests need. */
export interface Hub {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly offline: boolean;
  readonly options: HubOptions;
}

const environment = (name: string): string | undefined =>
  typeof process === "undefined" ? undefined : process.env[name] || undefined;

/** The hub with the environment for what options leave out. */
export function hubOf(options: HubOptions): Hub {
  const endpoint = (options.endpoint ?? environment("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, "");
  const token = options.token ?? environment("HF_TOKEN");
  return {
    endpoint,
    headers: { ...options.headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    offline: options.offline ?? environment("HF_HUB_OFFLINE") === "1",
    options,
  };
}

/** Address of a file's bytes. */
export function resolveUrl({ endpoint }: Hub, { repository, path }: HubPlace, commit: string): string {
  return `${endpoint}/${repository}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** No network, and not in the cache. */
export function offlineError(place: HubPlace, hub: Hub, store: HubStore | null, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : "HF_HUB_OFFLINE";
  return checkpointError({
    source: placeName(place),
    rule: `must be in the cache${store ? ` (${store.folder})` : ""}, or ${hub.endpoint} must be in reach`,
    got: `neither: ${reason}`,
    remedy: "connect, set HF_ENDPOINT to a mirror, or download the file elsewhere and give its path",
    ...(cause !== null && { cause }),
  });
}

/** The hub was not reached. */
class Unreachable extends Error {}

/** Whether an error means that there is no network, no such host, or nobody who answers. */
export const isUnreachable = (error: unknown): boolean => error instanceof Unreachable;

/** "fetch failed" says nothing: its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause ? String(cause.code) : "";
  return `${error.message} (${[code, cause.message].filter((text) => text !== "").join(": ")})`;
}

const REMEDIES: Readonly<Record<number, readonly [got: string, remedy: string]>> = {
  401: [
    "HTTP 401, not allowed",
    "check the name; for a private or gated model set HF_TOKEN to a token that may read it",
  ],
  403: ["HTTP 403, forbidden", "accept the model's terms on its page, and set HF_TOKEN to a token that may read it"],
  404: ["HTTP 404, no such model, revision or file", "check the name"],
};

/** What is asked, beside the address. */
export interface HubRequest {
  readonly method?: "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Asks the hub.
 *
 * @param source what is asked for, as the user knows it
 * @throws CheckpointError when it refuses; an error of `isUnreachable` when it cannot be reached
 */
export async function hubFetch(
  url: string,
  { headers, options }: Hub,
  source: string,
  init: HubRequest = {},
): Promise<Response> {
  let response: Response;
  try {
    const signal = options.signal ?? null;
    response = await (options.fetch ?? fetch)(url, { ...init, headers: { ...headers, ...init.headers }, signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new Unreachable(reasonOf(error), { cause: error });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status >= 500 || response.status === 429) throw new Unreachable(`HTTP ${response.status}`);
  const [got, remedy] = REMEDIES[response.status] ?? [`HTTP ${response.status}`, "check the name and HF_ENDPOINT"];
  throw checkpointError({ source, rule: "the hub must give it", got, remedy });
}
