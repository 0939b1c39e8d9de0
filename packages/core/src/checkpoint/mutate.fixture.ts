/** Random integers from 0 to `below` - 1. */
export type Dice = (below: number) => number;

/** The generator of a seed: mulberry32. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Bytes that mean something in a file, to be put where others were. */
export type Words = readonly Uint8Array[];

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Text of headers, and numbers at the edges of integers. */
export const JSON_WORDS: Words = [
  ...Array.from('{}[]",:\\ 0123456789-.eE\0\xff'),
  "4294967296",
  "9007199254740992",
  "18446744073709551616",
  "null",
  "[[[",
  '"F64"',
  '"BOOL"',
  '"__metadata__"',
  '"shape"',
  '"data_offsets"',
  "\\ud800",
].map(bytesOf);

/** Every opcode with some arguments, names that are allowed and that are not, lengths at their edges. */
export const PICKLE_WORDS: Words = [
  ...Array.from(
    "(.012FGIJKLMNPQRSTUVX]abcdeghijlopqrstu}\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96)",
  ),
  "h\0",
  "h\x01",
  "q\x02",
  "K\x03",
  "J\xff\xff\xff\xff",
  "J\xff\xff\xff\x7f",
  "\x8a\x08\xff\xff\xff\xff\xff\xff\x1f\0",
  "X\xff\xff\xff\x7f",
  "ctorch\nFloatStorage\n",
  "ctorch\nUntypedStorage\n",
  "ctorch._utils\n_rebuild_tensor_v2\n",
  "ctorch._utils\n_rebuild_parameter\n",
  "ccollections\nOrderedDict\n",
  "cbuiltins\nset\n",
  "c_codecs\nencode\n",
  "cargparse\nNamespace\n",
  "cos\nsystem\n",
  "I01\n",
  "F1e309\n",
  "L-5L\n",
  "PK\x05\x06",
].map(bytesOf);

/** The bytes with one to four changes, each of a bit, a byte, a word, a 32-bit number or a whole stretch. */
export function mutate(original: Uint8Array, dice: Dice, words: Words): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let left = 1 + dice(4); left > 0; left--) bytes = change(bytes, dice, words);
  return bytes;
}

const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

function change(bytes: Uint8Array, dice: Dice, words: Words): Uint8Array {
  const at = dice(bytes.length + 1);
  const word = words[dice(words.length)] ?? new Uint8Array(0);
  const stretch = dice(24);
  switch (dice(8)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << dice(8));
      return bytes;
    case 1:
      bytes[at] = dice(256);
      return bytes;
    case 2:
      if (at + 4 <= bytes.length)
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, EDGES[dice(EDGES.length)] ?? 0, true);
      return bytes;
    case 3:
      return splice(bytes, at, 0, word);
    case 4:
      return splice(bytes, at, word.length, word);
    case 5:
      return splice(bytes, at, stretch, new Uint8Array(0));
    case 6: {
      const from = dice(bytes.length + 1);
      return splice(bytes, at, 0, bytes.subarray(from, from + stretch));
    }
    default:
      return dice(8) === 0 ? bytes.slice(0, at) : splice(bytes, at, 1, word);
  }
}

function splice(bytes: Uint8Array, at: number, removed: number, put: Uint8Array): Uint8Array {
  const behind = bytes.subarray(Math.min(bytes.length, at + removed));
  const out = new Uint8Array(at + put.length + behind.length);
  out.set(bytes.subarray(0, at));
  out.set(put, at);
  out.set(behind, at + put.length);
  return out;
}
