import type { Input } from "mediabunny";
import { MediaError, causeText } from "./media-error.ts";
import { sniff, sniffLength, withArticle } from "./sniff.ts";
import { type ByteReader, type MediaSource, openBytes } from "./source.ts";

/** An opened container file. */
export interface OpenedInput {
  readonly input: Input;
  readonly reader: ByteReader;
  readonly close: () => Promise<void>;
}

/**
 * Opens a sound or video file and recognises its container.
 *
 * @param wanted what the caller needs, for the message: `a recording` or `a video`
 * @param advice formats to name, such as `WAV, MP3`
 * @throws MediaError `missing`, `empty`, `unsupported` or `corrupt`
 */
export async function openInput(source: MediaSource, wanted: string, advice: string): Promise<OpenedInput> {
  const reader = await openBytes(source);
  try {
    const { kind, name } = sniff(await reader.read(0, Math.min(reader.size, sniffLength)));
    if (kind === "text" || kind === "picture") {
      throw new MediaError("unsupported", reader.name, `this is ${withArticle(name)}, not ${wanted}; give ${advice}`);
    }
    const { ALL_FORMATS, CustomSource, Input } = await import("mediabunny");
    const bytes = new CustomSource({
      getSize: () => reader.size,
      read: (start, end) => reader.read(start, end),
      prefetchProfile: "fileSystem",
      // The failing read is reported by the call that waits for it.
      handleUnhandledError: () => undefined,
    });
    const input = new Input({ source: bytes, formats: ALL_FORMATS });
    if (!(await input.canRead())) {
      input.dispose();
      throw new MediaError("unsupported", reader.name, `this is not ${wanted} of a known format; give ${advice}`);
    }
    const close = async () => {
      input.dispose();
      await reader.close();
    };
    return { input, reader, close };
  } catch (error) {
    await reader.close();
    throw damaged(reader.name, error);
  }
}

/** A MediaError stays what it is; anything else says that the file is damaged. */
export function damaged(name: string, cause: unknown): MediaError {
  if (cause instanceof MediaError) return cause;
  const advice = `the file is damaged or cut short (${causeText(cause)}); save or copy it again`;
  return new MediaError("corrupt", name, advice, cause);
}

/** Why a wanted track is missing: a file without any track has lost its index. */
export async function withoutTrack(input: Input, name: string, advice: string): Promise<MediaError> {
  const tracks = await input.getTracks();
  if (tracks.length > 0) return new MediaError("unsupported", name, advice);
  return new MediaError("corrupt", name, "the file is damaged or cut short (no track in it); save or copy it again");
}
