import type { ByteSource } from "./byte-source.ts";
import { checkpointError } from "./checkpoint-error.ts";
import { chooseCheckpoint } from "./choose-checkpoint.ts";
import { download } from "./hub-download.ts";
import { type HubPlace, placeName } from "./hub-place.ts";
import { type Hub, hubFetch, hubOf, type HubOptions, isUnreachable, offlineError, resolveUrl } from "./hub-request.ts";
import type { HubStore } from "./hub-store.ts";
import { openUrl } from "./url-source.ts";

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Opens a file on the hub: from the cache where it is there, else it is downloaded first, on from where an earlier attempt broke off, and
 * compared with its checksum. A place without a file is the one checkpoint in that folder. A page keeps its cache in the origin's private file
 * system; where there is none, or no room in it, ranges are read over the network.
 *
 * @throws CheckpointError when it cannot be had: not there, not allowed, or no network and not in the cache
 */
export async function openHub(place: HubPlace, options: HubOptions = {}): Promise<ByteSource> {
  const hub = hubOf(options);
  const store = await openStore(options);
  const { commit, names } = await resolve(place, hub, store);
  const isFile = names.includes(place.path);
  const folder = place.path === "" || isFile ? place.path : `${place.path}/`;
  const inFolder = names.filter((name) => name.startsWith(folder) && !name.slice(folder.length).includes("/"));
  const path = isFile
    ? place.path
    : folder +
      chooseCheckpoint(
        placeName(place),
        inFolder.map((name) => name.slice(folder.length)),
      );
  return openAt({ ...place, path }, commit, hub, store);
}

async function openAt(place: HubPlace, commit: string, hub: Hub, store: HubStore | null): Promise<ByteSource> {
  const sibling = (fileName: string): Promise<ByteSource> =>
    openAt({ ...place, path: place.path.replace(/[^/]*$/, fileName) }, commit, hub, store);
  const named = (source: ByteSource): ByteSource => ({ ...source, name: placeName(place), sibling });
  const known = await store?.open(place.repository, commit, place.path);
  if (known) return named(known);
  if (store === null || !(await download(place, commit, hub, store))) {
    const url = new URL(resolveUrl(hub, place, commit));
    return named(await openUrl(url, { ...hub.options, headers: hub.headers }));
  }
  const source = await store.open(place.repository, commit, place.path);
  if (source) return named(source);
  throw checkpointError({
    source: placeName(place),
    rule: `the cache in ${store.folder} must keep what was downloaded`,
    got: "no file",
    remedy: "something else empties it, load it again",
  });
}

interface Resolved {
  readonly commit: string;
  /** Files of the repository; offline, those in the cache. */
  readonly names: readonly string[];
}

/** What a revision stands for now, or when it was last asked. */
async function resolve(place: HubPlace, hub: Hub, store: HubStore | null): Promise<Resolved> {
  const { repository, revision } = place;
  const cached = async (): Promise<Resolved | null> => {
    const commit = COMMIT.test(revision) ? revision : await store?.ref(repository, revision);
    const names = commit && store ? await store.names(repository, commit) : [];
    return commit && names.length > 0 ? { commit, names } : null;
  };
  const held = await cached();
  // a commit never changes: what is in the cache of it is right
  if (held && COMMIT.test(revision) && held.names.includes(place.path)) return held;
  if (!hub.offline)
    try {
      const url = `${hub.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
      const answer: unknown = await (await hubFetch(url, hub, placeName(place))).json();
      const told = revisionOf(answer, placeName(place));
      await store?.setRef(repository, revision, told.commit);
      return told;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (!held) throw offlineError(place, hub, store, error);
    }
  if (held) return held;
  throw offlineError(place, hub, store, null);
}

function revisionOf(answer: unknown, source: string): Resolved {
  if (typeof answer === "object" && answer !== null && "sha" in answer && "siblings" in answer) {
    const { sha, siblings } = answer;
    if (typeof sha === "string" && COMMIT.test(sha) && Array.isArray(siblings))
      return { commit: sha, names: siblings.flatMap((file: unknown) => fileName(file) ?? []) };
  }
  throw checkpointError({
    source,
    rule: "the hub must say which commit the revision is and which files it has",
    got: JSON.stringify(answer).slice(0, 80),
    remedy: "check HF_ENDPOINT",
  });
}

function fileName(file: unknown): string | undefined {
  if (typeof file !== "object" || file === null || !("rfilename" in file)) return undefined;
  const { rfilename } = file;
  // names become paths in the cache
  const isInside =
    typeof rfilename === "string" && rfilename.split("/").every((part) => !["", ".", ".."].includes(part));
  return isInside && !/[\\\p{Cc}]/u.test(rfilename) ? rfilename : undefined;
}

async function openStore({ cacheFolder }: HubOptions): Promise<HubStore | null> {
  if (typeof process === "undefined" || !process.versions?.node) {
    const { opfsStore } = await import("./hub-opfs.browser.ts");
    return opfsStore(cacheFolder);
  }
  const { diskStore } = await import("./hub-disk.node.ts");
  return diskStore(cacheFolder);
}
