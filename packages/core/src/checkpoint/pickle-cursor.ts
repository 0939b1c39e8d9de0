/** Thrown where a pickle goes on behind the bytes at hand; whoever has more of them tries again with more. */
export class PickleUnderrun extends Error {
  override readonly name = "PickleUnderrun";
}

/** Stops the reading; `rule` is what must hold of the pickle. Without `remedy` the file is damaged. */
export type PickleFail = (rule: string, got: string, remedy?: string) => never;

// Quadratic work: a longer one is no count, size or seed.
const MAX_DIGITS = 1000;
const MAX_INTEGER_BYTES = 256;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the arguments of opcodes; all little-endian unless said otherwise. */
export class PickleCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: PickleFail;
  /** Of the next byte. */
  at: number;

  constructor(bytes: Uint8Array, begin: number, fail: PickleFail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
    this.at = begin;
  }

  /** Moves over `length` bytes and gives where they begin. */
  #skip(length: number): number {
    const from = this.at;
    if (length > this.#bytes.length - from) throw new PickleUnderrun();
    this.at = from + length;
    return from;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }
  /** A length of 64 bits; those that no file has are refused. */
  u64(): number {
    const low = this.u32();
    const length = this.u32() * 2 ** 32 + low;
    return Number.isSafeInteger(length) ? length : this.#fail("a pickle's lengths must be below 2^53", `${length}`);
  }
  /** Big-endian, as the format has it. */
  f64(): number {
    return this.#view.getFloat64(this.#skip(8), false);
  }

  /** A copy. */
  bytes(length: number): Uint8Array {
    const from = this.#skip(length);
    return this.#bytes.slice(from, this.at);
  }

  text(length: number): string {
    const from = this.#skip(length);
    try {
      return utf8.decode(this.#bytes.subarray(from, this.at));
    } catch {
      return this.#fail("a pickle's text must be UTF-8", `other bytes at ${from}`);
    }
  }

  /** What Python 2 called a string: text where it is UTF-8, else bytes. */
  oldString(length: number): string | Uint8Array {
    const from = this.#skip(length);
    const bytes = this.#bytes.subarray(from, this.at);
    try {
      return utf8.decode(bytes);
    } catch {
      return bytes.slice();
    }
  }

  /** The text up to the next line feed, without it. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleUnderrun();
    const line = latin1(this.#bytes.subarray(this.at, end));
    this.at = end + 1;
    return line;
  }

  /** A decimal integer on a line of its own. */
  decimal(): number | bigint {
    const line = this.line();
    const digits = line.endsWith("L") ? line.slice(0, -1) : line;
    if (!/^[+-]?[0-9]+$/.test(digits) || digits.length > MAX_DIGITS)
      this.#fail("a pickle's integers must be decimal", JSON.stringify(line.slice(0, 40)));
    return exactNumber(BigInt(digits.startsWith("+") ? digits.slice(1) : digits));
  }

  /** An integer of `length` bytes in two's complement. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES)
      this.#fail(`a pickle's integers must have at most ${MAX_INTEGER_BYTES} bytes`, `${length}`);
    const from = this.#skip(length);
    let value = 0n;
    for (let i = this.at - 1; i >= from; i--) value = (value << 8n) | BigInt(this.#view.getUint8(i));
    return exactNumber(BigInt.asIntN(length * 8, value));
  }
}

// Not TextDecoder: what it calls latin1 is Windows' code page 1252.
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

function exactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
