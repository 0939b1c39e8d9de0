/** A file of a made-up archive; what is not given is right. */
export interface FixtureFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** As the directory has it. */
  readonly size?: number;
  readonly headerAt?: number;
}

class Writer {
  readonly #bytes: number[] = [];
  get length(): number {
    return this.#bytes.length;
  }
  put(value: number, bytes: number): this {
    for (let i = 0; i < bytes; i++) this.#bytes.push(Math.floor(value / 2 ** (8 * i)) % 256);
    return this;
  }
  append(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

const ALL_ONES = 0xffffffff;

/** An archive without compression; `align` pads as torch does, `zip64` moves every size to where large ones go. */
export function zip(
  files: readonly FixtureFile[],
  { zip64 = false, align = 1, comment = "" }: { zip64?: boolean; align?: number; comment?: string } = {},
): Uint8Array {
  const out = new Writer();
  const placed = files.map((file) => {
    const headerAt = out.length;
    const name = new TextEncoder().encode(file.name);
    const padding = (align - ((headerAt + 30 + name.length + 4) % align)) % align;
    out
      .put(0x04034b50, 4)
      .put(20, 2)
      .put(file.flags ?? 0, 2)
      .put(file.method ?? 0, 2)
      .put(0, 8);
    out
      .put(file.bytes.length, 4)
      .put(file.bytes.length, 4)
      .put(name.length, 2)
      .put(4 + padding, 2);
    out.append(name).append([0x46, 0x42]).put(padding, 2).append(new Uint8Array(padding)).append(file.bytes);
    return { file, name, headerAt };
  });
  const directoryAt = out.length;
  for (const { file, name, headerAt } of placed) {
    const [size, at] = [file.size ?? file.bytes.length, file.headerAt ?? headerAt];
    const narrow = (value: number) => (zip64 ? ALL_ONES : value);
    out
      .put(0x02014b50, 4)
      .put(45, 2)
      .put(45, 2)
      .put(file.flags ?? 0, 2)
      .put(file.method ?? 0, 2)
      .put(0, 8);
    out
      .put(narrow(size), 4)
      .put(narrow(size), 4)
      .put(name.length, 2)
      .put(zip64 ? 28 : 0, 2)
      .put(0, 10)
      .put(narrow(at), 4);
    out.append(name);
    if (zip64) out.put(1, 2).put(24, 2).put(size, 8).put(size, 8).put(at, 8);
  }
  const directoryBytes = out.length - directoryAt;
  if (zip64) {
    const recordAt = out.length;
    out.put(0x06064b50, 4).put(44, 8).put(45, 2).put(45, 2).put(0, 8).put(files.length, 8).put(files.length, 8);
    out.put(directoryBytes, 8).put(directoryAt, 8);
    out.put(0x07064b50, 4).put(0, 4).put(recordAt, 8).put(1, 4);
  }
  const narrow = (value: number, most: number) => (zip64 ? most : value);
  out.put(0x06054b50, 4).put(0, 4).put(narrow(files.length, 0xffff), 2).put(narrow(files.length, 0xffff), 2);
  out.put(narrow(directoryBytes, ALL_ONES), 4).put(narrow(directoryAt, ALL_ONES), 4);
  const text = new TextEncoder().encode(comment);
  return out.put(text.length, 2).append(text).done();
}
