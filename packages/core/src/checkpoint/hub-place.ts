import { checkpointError } from "./checkpoint-error.ts";

/** A file or folder of a model on the hub. */
export interface HubPlace {
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Within the repository; "" for its root. */
  readonly path: string;
}

/** Whether a source names a place on the hub. */
export const isHubUrl = (source: string): boolean => /^hf:/i.test(source);

/** As in huggingface_hub: `hf://owner/name@revision/path`. */
export function placeName({ repository, revision, path }: HubPlace): string {
  return `hf://${repository}${revision === "main" ? "" : `@${revision}`}${path === "" ? "" : `/${path}`}`;
}

/**
 * Reads `hf://owner/name[@revision][/path]`, the notation of huggingface_hub. A revision with slashes has them as %2F.
 *
 * @throws CheckpointError when it is none
 */
export function parseHubUrl(url: string): HubPlace {
  const pattern = /^hf:(?:\/\/)?(?:models\/)?([\w.-]+\/[\w.-]+?)(?:@([^/@]+))?(?:\/(.*))?$/i;
  const [, repository, revision = "main", path = ""] = pattern.exec(url) ?? [];
  const parts = path.split("/").filter((part) => part !== "");
  const tag = /%(?![\da-f]{2})/i.test(revision) ? ".." : decodeURIComponent(revision);
  const outside = [...(repository ?? "").split("/"), ...tag.split("/"), ...parts].some((part) =>
    ["", ".", ".."].includes(part),
  );
  if (repository === undefined || outside || /^(?:datasets|spaces)\//.test(repository))
    throw checkpointError({
      source: url,
      rule: "a place on the hub must read hf://owner/name[@revision][/path]",
      got: "another form",
      remedy: "write, for instance, hf://facebook/wav2vec2-base-960h/model.safetensors",
    });
  return { repository, revision: tag, path: parts.join("/") };
}
