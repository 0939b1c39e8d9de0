/** Sample formats of {@link wavBytes}. */
export type WavFormat = "u8" | "s16" | "s24" | "s32" | "f32" | "f64";

/** A WAV file written by hand, for tests of the reader. */
export function wavBytes(
  channels: readonly Float32Array[],
  sampleRate: number,
  format: WavFormat,
  { extensible = false, declaredSize }: { readonly extensible?: boolean; readonly declaredSize?: number } = {},
): Uint8Array {
  const width = Number(format.slice(1)) / 8;
  const blockSize = width * channels.length;
  const length = channels[0]?.length ?? 0;
  const headSize = extensible ? 40 : 16;
  const bytes = new Uint8Array(28 + headSize + blockSize * length);
  const view = new DataView(bytes.buffer);
  const ascii = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  const tag = format.startsWith("f") ? 3 : 1;
  ascii(0, "RIFF");
  view.setUint32(4, declaredSize ?? bytes.length - 8, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, headSize, true);
  view.setUint16(20, extensible ? 0xfffe : tag, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * blockSize, true);
  view.setUint16(32, blockSize, true);
  view.setUint16(34, 8 * width, true);
  if (extensible) {
    view.setUint16(36, 22, true);
    view.setUint16(38, 8 * width, true);
    // KSDATAFORMAT_SUBTYPE: the tag, then 0000-0010-8000-00aa00389b71.
    bytes.set([tag, 0, 0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113], 44);
  }
  ascii(20 + headSize, "data");
  view.setUint32(24 + headSize, declaredSize ?? blockSize * length, true);
  const write: Record<WavFormat, (at: number, x: number) => void> = {
    u8: (at, x) => view.setUint8(at, Math.round(128 + 127 * x)),
    s16: (at, x) => view.setInt16(at, Math.round(32_767 * x), true),
    s24: (at, x) => {
      const value = Math.round(8_388_607 * x);
      view.setUint16(at, value & 0xffff, true);
      view.setInt8(at + 2, value >> 16);
    },
    s32: (at, x) => view.setInt32(at, Math.round(2_147_483_647 * x), true),
    f32: (at, x) => view.setFloat32(at, x, true),
    f64: (at, x) => view.setFloat64(at, x, true),
  };
  for (let i = 0; i < length; i++) {
    for (const [c, channel] of channels.entries())
      write[format](28 + headSize + i * blockSize + c * width, channel[i] ?? 0);
  }
  return bytes;
}
