import type { ByteReader } from "./source.ts";

/** Sizes from here on are placeholders of programs that write to a pipe. */
const unknownSize = 0x7fff_f000;

/**
 * The length of a WAV file by its header, seconds: the demuxer tells only what is there, so a file cut short would pass.
 *
 * @returns 0 where the header does not say
 */
export async function wavDuration(reader: ByteReader): Promise<number> {
  const ascii = async (at: number) => String.fromCharCode(...(await reader.read(at, at + 4)));
  const u32 = async (at: number) => {
    const { buffer, byteOffset } = await reader.read(at, at + 4);
    return new DataView(buffer, byteOffset).getUint32(0, true);
  };
  if ((await ascii(0)) !== "RIFF") return 0;
  let bytesPerSecond = 0;
  for (let at = 12; at + 16 <= reader.size;) {
    const id = await ascii(at);
    const size = await u32(at + 4);
    if (id === "fmt ") bytesPerSecond = await u32(at + 16);
    if (id === "data") return size < unknownSize && bytesPerSecond > 0 ? size / bytesPerSecond : 0;
    at += 8 + size + (size & 1);
  }
  return 0;
}

/**
 * Encodes sound as a WAV file of 32-bit floats.
 *
 * @param channels [channels][n] samples
 * @param sampleRate Hz
 */
export function encodeWav(channels: readonly Float32Array[], sampleRate: number): Uint8Array {
  const length = channels[0]?.length ?? 0;
  const blockSize = 4 * channels.length;
  const bytes = new Uint8Array(58 + blockSize * length);
  const view = new DataView(bytes.buffer);
  const ascii = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  ascii(0, "RIFF");
  u32(4, bytes.length - 8);
  ascii(8, "WAVEfmt ");
  u32(16, 18);
  u16(20, 3);
  u16(22, channels.length);
  u32(24, sampleRate);
  u32(28, blockSize * sampleRate);
  u16(32, blockSize);
  u16(34, 32);
  ascii(38, "fact");
  u32(42, 4);
  u32(46, length);
  ascii(50, "data");
  u32(54, blockSize * length);
  for (const [channel, samples] of channels.entries()) {
    for (let i = 0; i < length; i++) view.setFloat32(58 + blockSize * i + 4 * channel, samples[i] ?? 0, true);
  }
  return bytes;
}
