import { checkpointError } from "./checkpoint-error.ts";
import { type HubPlace, placeName } from "./hub-place.ts";
import { type Hub, hubFetch, isUnreachable, offlineError, resolveUrl } from "./hub-request.ts";
import type { BlobId, HubStore, IncomingBlob } from "./hub-store.ts";

// A connection that breaks is taken up again, as long as some bytes come each time.
const FRUITLESS_ATTEMPTS = 4;
const FIRST_RETRY_MS = 250;

/**
 * Puts a file of the hub into the cache, on from where an earlier attempt broke off.
 *
 * @returns false where the cache has no room for it
 * @throws CheckpointError when it cannot be had or its checksum differs
 */
export async function download(place: HubPlace, commit: string, hub: Hub, store: HubStore): Promise<boolean> {
  if (hub.offline) throw offlineError(place, hub, store, null);
  try {
    const blob = await describeBlob(place, commit, hub);
    if (await store.link(place.repository, commit, place.path, blob)) return true;
    const incoming = await store.begin(place.repository, blob);
    if (incoming === null) return false;
    try {
      await receive(place, commit, hub, blob, incoming);
      await incoming.finish();
    } finally {
      await incoming.close();
    }
    return await store.link(place.repository, commit, place.path, blob);
  } catch (error) {
    throw isUnreachable(error) ? offlineError(place, hub, store, error) : error;
  }
}

/** Size and checksum, of the hub's own list. */
async function describeBlob(place: HubPlace, commit: string, hub: Hub): Promise<BlobId> {
  const response = await hubFetch(
    `${hub.endpoint}/api/models/${place.repository}/paths-info/${commit}`,
    hub,
    placeName(place),
    {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ paths: [place.path] }),
    },
  );
  const answer: unknown = await response.json();
  const [entry] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
  const blob = blobOf(entry);
  if (blob) return blob;
  throw checkpointError({
    source: placeName(place),
    rule: "the hub must tell the file's size and checksum",
    got: entry === undefined ? "no such file" : JSON.stringify(entry).slice(0, 80),
    remedy: "check the name",
  });
}

function blobOf(entry: unknown): BlobId | null {
  if (typeof entry !== "object" || entry === null || !("size" in entry) || !("oid" in entry)) return null;
  const { size, oid } = entry;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return null;
  const lfs =
    "lfs" in entry && typeof entry.lfs === "object" && entry.lfs !== null && "oid" in entry.lfs ? entry.lfs.oid : null;
  if (typeof lfs === "string" && /^[0-9a-f]{64}$/.test(lfs)) return { algorithm: "sha256", digest: lfs, size };
  return typeof oid === "string" && /^[0-9a-f]{40}$/.test(oid) ? { algorithm: "git-sha1", digest: oid, size } : null;
}

async function receive(
  place: HubPlace,
  commit: string,
  hub: Hub,
  { size }: BlobId,
  incoming: IncomingBlob,
): Promise<void> {
  const { onDownload, signal } = hub.options;
  const url = resolveUrl(hub, place, commit);
  let at = Math.min(incoming.received, size);
  const report = () => onDownload?.({ file: placeName(place), received: at, total: size });
  report();
  for (let fruitless = 0; at < size;) {
    const before = at;
    try {
      const headers: Record<string, string> = at > 0 ? { Range: `bytes=${at}-` } : {};
      const response = await hubFetch(url, hub, placeName(place), { headers });
      // a server without ranges begins anew
      if (at > 0 && response.status !== 206) at = 0;
      const reader = response.body?.getReader();
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done || !value) break;
        if (at + value.length > size) {
          await reader?.cancel();
          throw checkpointError({
            source: placeName(place),
            rule: `the hub must send the ${size} bytes that it told of`,
            got: "more",
            remedy: "load it again",
          });
        }
        await incoming.write(at, value);
        at += value.length;
        report();
      }
      if (at < size) throw new TypeError(`the connection ended after ${at} of ${size} bytes`);
    } catch (error) {
      signal?.throwIfAborted();
      const isBroken = isUnreachable(error) || error instanceof TypeError;
      fruitless = at > before ? 0 : fruitless + 1;
      if (!isBroken || fruitless >= FRUITLESS_ATTEMPTS) throw error;
      await new Promise((done) => setTimeout(done, FIRST_RETRY_MS * 2 ** fruitless));
    }
  }
}
