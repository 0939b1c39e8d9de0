import { tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Tokenizer } from "@huggingface/tokenizers";
import { ConfigError } from "./config-error.ts";
import { nanoTokenizer } from "./nano-vocabulary.ts";

/** The parts of a Unigram `tokenizer.json` that we read; the rest is the library's. */
export interface UnigramJson {
  readonly model: {
    readonly type: "Unigram";
    readonly unk_id: number;
    readonly vocab: readonly (readonly [piece: string, score: number])[];
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** Token ids of a batch of texts, padded to one length. */
export interface TokenBatch {
  /** i32 [B, L] */
  readonly ids: Tensor;
  /** f32 [B, L], 1 = token, 0 = padding. */
  readonly mask: Tensor;
  /** One line for each text that had to be cut. */
  readonly warnings: readonly string[];
}

/** Options of {@link TextTokenizer.batch}. */
export interface BatchOptions {
  /** Longest text in tokens, end token included. */
  readonly maxTokens: number;
  /** Pad to the longest text of the batch, or always to `maxTokens` (one shape, one plan). */
  readonly padTo?: "longest" | "max";
}

const SPACE = "▁";
const PAD = "<pad>";
const END = "</s>";
const BYTE = /^<0x([0-9A-F]{2})>$/;
// text beyond this many characters a token cannot reach the encoder; bounds the tokenizer's work
const CHARACTERS_PER_TOKEN = 64;

const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/**
 * Text ↔ token ids of a SentencePiece Unigram model. With byte pieces (UMT5) any string has ids, and `decode` gives its normalised form
 * back; without them (T5) what the vocabulary lacks becomes the unknown token.
 *
 * @throws ConfigError where the model is no Unigram or lacks its special pieces
 */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #idOf: ReadonlyMap<string, number>;
  readonly #pieces: readonly string[];
  /** Stands for what has no piece; null where bytes do. */
  readonly #unknown: number | null;

  /**
   * @param json contents of a `tokenizer.json`
   * @param config contents of its `tokenizer_config.json`
   */
  constructor(json: UnigramJson, config: object = {}) {
    const { type, vocab } = json.model;
    if (type !== "Unigram") throw new ConfigError(`TextTokenizer: model.type must be "Unigram", got "${String(type)}"`);
    this.#tokenizer = new Tokenizer(json, config);
    this.#pieces = vocab.map(([piece]) => piece);
    this.#idOf = new Map(this.#pieces.map((piece, id) => [piece, id]));
    for (const piece of [PAD, END])
      if (!this.#idOf.has(piece)) throw new ConfigError(`TextTokenizer: the vocabulary must contain "${piece}"`);
    const hasBytes = [byteToken(0), byteToken(255)].every((piece) => this.#idOf.has(piece));
    this.#unknown = hasBytes ? null : unknownId(json);
  }

  /** The tokenizer that ships with the nano text encoder. */
  static nano(): TextTokenizer {
    return new TextTokenizer(nanoTokenizer());
  }

  get vocabSize(): number {
    return this.#pieces.length;
  }
  get padId(): number {
    return this.#id(PAD);
  }
  get endId(): number {
    return this.#id(END);
  }

  /** Ids of a text, without the end token. */
  encode(text: string): number[] {
    // lone surrogates become U+FFFD: they have no UTF-8 form
    const utf8 = new TextEncoder();
    const wellFormed = new TextDecoder().decode(utf8.encode(text)).replace(/\s+/gu, " ").trim();
    if (wellFormed.length === 0) return [];
    const pieces: readonly string[] = this.#tokenizer.tokenize(wellFormed);
    const ids: number[] = [];
    for (const piece of pieces) {
      const id = this.#idOf.get(piece);
      // a piece spelled like a byte token came from the text itself and must stay text
      if (id !== undefined && !BYTE.test(piece)) ids.push(id);
      else if (this.#unknown === null)
        for (const byte of utf8.encode(piece.replaceAll(SPACE, " "))) ids.push(this.#id(byteToken(byte)));
      // a run of unknown pieces is one token, as in SentencePiece
      else if (ids.at(-1) !== this.#unknown) ids.push(this.#unknown);
    }
    return ids;
  }

  /** The text that ids stand for; padding and end tokens are left out. */
  decode(ids: readonly number[]): string {
    const utf8 = new TextEncoder();
    const bytes = ids.flatMap((id) => {
      const piece = this.#pieces[id] ?? "";
      const byte = BYTE.exec(piece)?.[1];
      if (byte !== undefined) return [Number.parseInt(byte, 16)];
      return piece === PAD || piece === END ? [] : [...utf8.encode(piece.replaceAll(SPACE, " "))];
    });
    return new TextDecoder().decode(Uint8Array.from(bytes)).trimStart();
  }

  /**
   * Ids of several texts with end tokens, cut to `maxTokens` and padded.
   *
   * @param texts at least one; "" is a text (its only token is the end)
   */
  batch(texts: readonly string[], { maxTokens, padTo = "longest" }: BatchOptions): TokenBatch {
    const warnings: string[] = [];
    const rows = texts.map((text) => {
      const short =
        text.length > maxTokens * CHARACTERS_PER_TOKEN ? text.slice(0, maxTokens * CHARACTERS_PER_TOKEN) : text;
      const ids = this.encode(short);
      if (short !== text || ids.length > maxTokens - 1) warnings.push(this.#cutWarning(ids, maxTokens));
      return [...ids.slice(0, maxTokens - 1), this.endId];
    });
    const length = padTo === "max" ? maxTokens : Math.max(...rows.map((row) => row.length));
    const shape = [texts.length, length];
    const cells = (of: (row: readonly number[], i: number) => number): number[] =>
      rows.flatMap((row) => Array.from({ length }, (_, i) => of(row, i)));
    return {
      ids: tensor(Int32Array.from(cells((row, i) => row[i] ?? this.padId)), { shape }),
      mask: tensor(Float32Array.from(cells((row, i) => (i < row.length ? 1 : 0))), { shape }),
      warnings,
    };
  }

  #cutWarning(ids: readonly number[], maxTokens: number): string {
    const dropped = this.decode(ids.slice(maxTokens - 1)).slice(0, 40);
    return `text: only the first ${maxTokens - 1} tokens are used; cut from "${dropped}" on: shorten the text`;
  }

  #id(piece: string): number {
    return this.#idOf.get(piece) ?? 0; // the constructor has checked the pieces we ask for
  }
}

/** @throws ConfigError */
function unknownId({ model: { unk_id: id, vocab } }: UnigramJson): number {
  if (Number.isInteger(id) && id >= 0 && id < vocab.length) return id;
  throw new ConfigError(
    `TextTokenizer: a vocabulary without byte pieces must have an unknown token, got unk_id ${JSON.stringify(id)}`,
  );
}
