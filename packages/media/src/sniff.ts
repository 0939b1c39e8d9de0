/** What the first bytes of a file say it is. */
export interface FileKind {
  readonly kind: "picture" | "sound" | "video" | "text" | "unknown";
  /** Such as `PNG`, `WAV`, `text file`. */
  readonly name: string;
}

/** Bytes that {@link sniff} wants to see. */
export const sniffLength = 4096;

interface Signature {
  readonly name: string;
  readonly kind: "picture" | "sound" | "video";
  readonly at?: number;
  readonly magic: string;
  readonly and?: readonly [at: number, magic: string];
}

const signatures: readonly Signature[] = [
  { name: "PNG", kind: "picture", magic: "\x89PNG\r\n\x1a\n" },
  { name: "JPEG", kind: "picture", magic: "\xff\xd8\xff" },
  { name: "GIF", kind: "picture", magic: "GIF8" },
  { name: "WebP", kind: "picture", magic: "RIFF", and: [8, "WEBP"] },
  { name: "AVIF", kind: "picture", at: 4, magic: "ftyp", and: [8, "avi"] },
  { name: "HEIC", kind: "picture", at: 4, magic: "ftyp", and: [8, "hei"] },
  { name: "HEIC", kind: "picture", at: 4, magic: "ftyp", and: [8, "hev"] },
  { name: "HEIC", kind: "picture", at: 4, magic: "ftyp", and: [8, "mif1"] },
  { name: "TIFF", kind: "picture", magic: "II*\0" },
  { name: "TIFF", kind: "picture", magic: "MM\0*" },
  { name: "BMP", kind: "picture", magic: "BM", and: [6, "\0\0\0\0"] },
  { name: "ICO", kind: "picture", magic: "\0\0\x01\0" },
  { name: "JPEG XL", kind: "picture", magic: "\xff\x0a" },
  { name: "JPEG XL", kind: "picture", at: 4, magic: "JXL " },
  { name: "PSD", kind: "picture", magic: "8BPS" },
  { name: "WAV", kind: "sound", magic: "RIFF", and: [8, "WAVE"] },
  { name: "WAV", kind: "sound", magic: "RF64", and: [8, "WAVE"] },
  { name: "FLAC", kind: "sound", magic: "fLaC" },
  { name: "OGG", kind: "sound", magic: "OggS" },
  { name: "MP3", kind: "sound", magic: "ID3" },
  { name: "AIFF", kind: "sound", magic: "FORM", and: [8, "AIF"] },
  { name: "M4A", kind: "sound", at: 4, magic: "ftyp", and: [8, "M4A"] },
  { name: "AMR", kind: "sound", magic: "#!AMR" },
  { name: "AVI", kind: "video", magic: "RIFF", and: [8, "AVI "] },
  { name: "MP4", kind: "video", at: 4, magic: "ftyp" },
  { name: "WebM", kind: "video", magic: "\x1a\x45\xdf\xa3" },
];

/** Tells a file by its first {@link sniffLength} bytes, never by its name. */
export function sniff(head: Uint8Array): FileKind {
  const has = (at: number, magic: string) => {
    for (let i = 0; i < magic.length; i++) if (head[at + i] !== magic.charCodeAt(i)) return false;
    return true;
  };
  for (const { name, kind, at = 0, magic, and } of signatures) {
    if (has(at, magic) && (and === undefined || has(...and))) return { name, kind };
  }
  if (isText(head)) return looksLikeSvg(head) ? { name: "SVG", kind: "picture" } : { name: "text file", kind: "text" };
  if (isMpegAudioHeader(head)) return { name: "MP3", kind: "sound" };
  return { name: "unknown file", kind: "unknown" };
}

/** `a` or `an` before a format name, by sound. */
export function withArticle(name: string): string {
  return `${/^(MP|M4A|AVI|AVIF|AMR|AIFF|HEIC|ICO|OGG|SVG|unknown)/.test(name) ? "an" : "a"} ${name}`;
}

function isText(head: Uint8Array): boolean {
  if (head[0] === 0xff && head[1] === 0xfe) return true;
  for (const byte of head) {
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) return false;
  }
  try {
    // `stream`: the head may end inside a character.
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function looksLikeSvg(head: Uint8Array): boolean {
  return new TextDecoder().decode(head.subarray(0, 1024)).includes("<svg");
}

function isMpegAudioHeader([first = 0, second = 0, third = 0]: Uint8Array): boolean {
  const layerSet = (second & 0x06) !== 0;
  const rateSet = (third & 0x0c) !== 0x0c && (third & 0xf0) !== 0xf0;
  return first === 0xff && (second & 0xe0) === 0xe0 && layerSet && rateSet;
}
