import { describe, expect, test } from "vitest";
import { presets } from "./config.ts";
import { nanoTokenizer } from "./nano-vocabulary.ts";
import { TextTokenizer } from "./tokenizer.ts";

const tokenizer = TextTokenizer.nano();

/** The normalised form that decoding gives back. */
const normalized = (text: string): string => text.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();

describe("TextTokenizer.nano", () => {
  test("fits the nano encoder", () => {
    expect(tokenizer.vocabSize).toBe(presets.nano.vocabSize);
    expect([tokenizer.padId, tokenizer.endId]).toEqual([0, 1]);
  });

  test("writes a caption in one token a word", () => {
    expect(tokenizer.encode("A woman with curly hair talks in a kitchen.")).toHaveLength(10);
  });

  test.each([
    "A young man in a green hoodie, waving.",
    "Ein Mädchen singt – fröhlich!",
    "日本語 и русский العربية",
    "🧑‍🚀 dances 😀",
    "x".repeat(300),
    "tab\tand\nnewline",
    "\u0000\u0007 control",
    "<0x41> </s> <pad> <unused1>",
    "ﬁne ½ Ⅷ ＡＢＣ",
  ])("gives %j back, normalised", (text) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(normalized(text));
  });

  test("replaces lone surrogates, which have no UTF-8 form", () => {
    expect(tokenizer.decode(tokenizer.encode("a \ud800 b"))).toBe("a \ufffd b");
  });

  test("never uses a special token for text", () => {
    const ids = tokenizer.encode("<pad></s><unk>");
    expect(ids.filter((id) => id < 3)).toEqual([]);
  });

  test("has ids for any string of code points", () => {
    // a sweep over all planes
    for (let code = 1; code < 0x110000; code += 4099) {
      const ids = tokenizer.encode(String.fromCodePoint(code));
      expect(ids.every((id) => id > 2 && id < tokenizer.vocabSize)).toBe(true);
    }
  });
});

describe("a vocabulary without byte pieces", () => {
  const json = nanoTokenizer();
  const vocab = json.model.vocab.filter(([piece]) => !piece.startsWith("<0x"));

  test("gives a run of what it lacks one unknown token", () => {
    const plain = new TextTokenizer({ ...json, model: { ...json.model, byte_fallback: false, vocab } });
    const [a] = plain.encode("a");
    expect(plain.encode("a 日本語")).toEqual([a, expect.any(Number), 2]);
    expect(plain.encode("日本語").filter((id) => id === 2)).toHaveLength(1);
  });

  test("must have an unknown token", () => {
    expect(() => new TextTokenizer({ ...json, model: { ...json.model, unk_id: -1, vocab } })).toThrow(
      "must have an unknown token, got unk_id -1",
    );
  });
});

describe("batch", () => {
  test("ends, pads and masks", async () => {
    const { ids, mask, warnings } = tokenizer.batch(["a man", ""], { maxTokens: 24 });
    expect(ids.shape).toEqual([2, 3]);
    const [a, man] = tokenizer.encode("a man");
    expect([...(await ids.data())]).toEqual([a, man, 1, 1, 0, 0]);
    expect([...(await mask.data())]).toEqual([1, 1, 1, 1, 0, 0]);
    expect(warnings).toEqual([]);
  });

  test("pads to one shape for all where asked", () => {
    expect(tokenizer.batch(["a"], { maxTokens: 24, padTo: "max" }).ids.shape).toEqual([1, 24]);
  });

  test("cuts a long text, keeps its end token and says where it cut", async () => {
    const { ids, warnings } = tokenizer.batch(["one two three four five six"], { maxTokens: 4 });
    expect((await ids.data()).at(-1)).toBe(tokenizer.endId);
    expect(warnings).toEqual(['text: only the first 3 tokens are used; cut from "four five six" on: shorten the text']);
  });

  test("takes a very long text", () => {
    const { ids, warnings } = tokenizer.batch(["word ".repeat(200_000)], { maxTokens: 24 });
    expect(ids.shape).toEqual([1, 24]);
    expect(warnings).toHaveLength(1);
  });
});
