import { type ByteSource, readExactly } from "./byte-source.ts";
import { MAX_HEADER_BYTES } from "./safetensors-header.ts";

/** The layouts a checkpoint can have. */
export type CheckpointFormat = "safetensors" | "index" | "zip" | "pickle";

const LOOKED_AT = 8;

/**
 * The format of a file by its first eight bytes. A safetensors file begins with the length of its header, which is at most
 * 100 million: the first letters of the other formats, read as a length, are all larger.
 */
export async function recognise(source: ByteSource): Promise<CheckpointFormat> {
  const start = await readExactly(source, 0, Math.min(LOOKED_AT, source.size));
  if (start.length < LOOKED_AT) return "safetensors";
  const view = new DataView(start.buffer, start.byteOffset, LOOKED_AT);
  if (view.getUint32(4, true) === 0 && view.getUint32(0, true) <= MAX_HEADER_BYTES) return "safetensors";
  const text = String.fromCharCode(...start);
  if (text.startsWith("PK\x03\x04")) return "zip";
  // PROTO 2 to 5, or the first digits of the magic number of torch.save as text, which protocols 0 and 1 write.
  const [first = 0, second = 0] = start;
  if ((first === 0x80 && second >= 2 && second <= 5) || text.startsWith("L1195470")) return "pickle";
  return /^\s*\{/.test(text) ? "index" : "safetensors";
}
