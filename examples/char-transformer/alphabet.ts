/** Text as numbers: each character that occurs has one. */
export class Alphabet {
  readonly characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.characters = [...new Set(text)].sort();
    this.#ids = new Map(this.characters.map((c, i) => [c, i]));
  }
  /** Characters that the alphabet lacks are left out. */
  encode(text: string): Int32Array<ArrayBuffer> {
    return Int32Array.from(Array.from(text).flatMap((c) => this.#ids.get(c) ?? []));
  }
  decode(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.characters[id] ?? "").join("");
  }
}
