import type { ByteReader } from "./source.ts";

/** Which decoded samples of an MP3 are sound, and not the encoder's delay or padding. */
export interface Gapless {
  /** Decoded samples to drop at the start. */
  readonly skip: number;
  /** Samples of sound that follow. */
  readonly length: number;
}

/** A decoder's own delay, samples; the LAME tag does not count it. */
const decoderDelay = 529;

/**
 * Reads the delay and padding from the LAME part of an MP3's Xing frame.
 *
 * @returns undefined where the file carries no such tag: its delay is then unknown
 * @see http://gabriel.mp3-tech.org/mp3infotag.html
 */
export async function readGapless(reader: ByteReader): Promise<Gapless | undefined> {
  const start = await afterId3(reader);
  const frame = await reader.read(start, Math.min(reader.size, start + 512));
  const at = findTag(frame);
  if (at < 0 || frame.length < at + 8) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const flags = view.getUint32(at + 4);
  const hasFrameCount = (flags & 1) !== 0;
  const lame = at + 8 + (hasFrameCount ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  if (!hasFrameCount || frame.length < lame + 24 || (frame[lame] ?? 0) === 0) return undefined;
  const delay = view.getUint16(lame + 21) >> 4;
  const padding = view.getUint16(lame + 22) & 0xfff;
  const samplesPerFrame = ((frame[1] ?? 0) & 0x08) !== 0 ? 1152 : 576;
  const length = view.getUint32(at + 8) * samplesPerFrame - delay - padding;
  return length > 0 ? { skip: delay + decoderDelay, length } : undefined;
}

/** Position after any ID3v2 tags. */
async function afterId3(reader: ByteReader): Promise<number> {
  let position = 0;
  while (position + 10 <= reader.size) {
    const head = await reader.read(position, position + 10);
    if (head[0] !== 0x49 || head[1] !== 0x44 || head[2] !== 0x33) break;
    let size = 0;
    for (let i = 6; i < 10; i++) size = size * 128 + ((head[i] ?? 0) & 127);
    position += 10 + size;
  }
  return position;
}

function findTag(frame: Uint8Array): number {
  if (frame[0] !== 0xff) return -1;
  // The tag follows a header of 4 bytes and side information of 9 to 32, with 2 of checksum at most.
  for (let at = 4; at <= 48; at++) {
    const word = String.fromCharCode(...frame.subarray(at, at + 4));
    if (word === "Xing" || word === "Info") return at;
  }
  return -1;
}
