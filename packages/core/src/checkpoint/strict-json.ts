import { quote } from "./checkpoint-error.ts";

/** A number as it is written: 0, 0.0 and -0 differ, and no digit is lost above 2^53. */
export interface JsonNumber {
  readonly digits: string;
}

export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>;

/** Stops the parse; `rule` is what must hold of the text. */
export type JsonFail = (rule: string, got: string) => never;

const MAX_DEPTH = 64;
// Bounds the memory that a hostile text can claim to a small multiple of its own size.
const MAX_VALUES = 1 << 20;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids raw control characters in strings, so the scan must stop at them.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/**
 * Parses JSON (RFC 8259) without the leniency of `JSON.parse`: a key may appear once in an object, strings are well-formed
 * Unicode, nesting is at most 64, values are at most a million. Objects become maps, so that no key is special.
 */
export function parseStrictJson(text: string, fail: JsonFail): Json {
  let at = 0;
  let values = 0;

  const unexpected = (wanted: string): never =>
    fail(`JSON must have ${wanted} at character ${at}`, at < text.length ? quote(text.slice(at, at + 12)) : "its end");

  const skipSpace = () => {
    while (text[at] === " " || text[at] === "\n" || text[at] === "\t" || text[at] === "\r") at++;
  };

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) at += match.length;
    return match;
  };

  const codeUnit = (): number => {
    const hex = take(HEX4);
    return hex === undefined ? unexpected("four hexadecimal digits") : Number.parseInt(hex, 16);
  };

  const escape = (): string => {
    const simple = ESCAPES.get(text[at] ?? "");
    if (simple === undefined && text[at] !== "u") unexpected("an escape of JSON");
    at++;
    if (simple !== undefined) return simple;
    const unit = codeUnit();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit > 0xdbff || text[at] !== "\\" || text[at + 1] !== "u") unexpected("a surrogate pair");
    at += 2;
    const low = codeUnit();
    if (low < 0xdc00 || low > 0xdfff) unexpected("a surrogate pair");
    return String.fromCharCode(unit, low);
  };

  const string = (): string => {
    if (text[at] !== '"') unexpected("a string");
    at++;
    let result = take(PLAIN) ?? "";
    while (text[at] === "\\") {
      at++;
      result += escape() + (take(PLAIN) ?? "");
    }
    if (text[at] !== '"') unexpected("the end of a string");
    at++;
    return result;
  };

  /** The items between the brackets, each read by `item`. */
  const list = (close: string, item: () => void) => {
    at++;
    skipSpace();
    if (text[at] === close) return void at++;
    for (;;) {
      item();
      skipSpace();
      if (text[at] === close) return void at++;
      if (text[at] !== ",") unexpected(`"," or ${quote(close)}`);
      at++;
      skipSpace();
    }
  };

  const literal = <T extends Json>(word: string, meaning: T): T => {
    if (!text.startsWith(word, at)) unexpected("a value");
    at += word.length;
    return meaning;
  };

  const value = (depth: number): Json => {
    if (depth > MAX_DEPTH) fail(`JSON must nest at most ${MAX_DEPTH} deep`, `more at character ${at}`);
    if (++values > MAX_VALUES) fail(`JSON must hold at most ${MAX_VALUES} values`, `more at character ${at}`);
    skipSpace();
    switch (text[at] ?? "") {
      case "{": {
        const entries = new Map<string, Json>();
        list("}", () => {
          const key = string();
          if (entries.has(key)) fail("a JSON object must name each key once", `${quote(key)} twice`);
          skipSpace();
          if (text[at] !== ":") unexpected('":"');
          at++;
          entries.set(key, value(depth + 1));
        });
        return entries;
      }
      case "[": {
        const items: Json[] = [];
        list("]", () => items.push(value(depth + 1)));
        return items;
      }
      case '"':
        return string();
      case "n":
        return literal("null", null);
      case "t":
        return literal("true", true);
      case "f":
        return literal("false", false);
      default:
        return { digits: take(NUMBER) ?? unexpected("a value") };
    }
  };

  const result = value(1);
  skipSpace();
  if (at < text.length) unexpected("nothing more");
  return result;
}

/** The value as a map if it is an object. */
export function jsonObject(value: Json | undefined): ReadonlyMap<string, Json> | undefined {
  return value instanceof Map ? value : undefined;
}

/** The value as a non-negative integer below 2^53 written in plain digits, else undefined: 4.0, 4e0, -0 and "4" are none. */
export function jsonInteger(value: Json | undefined): number | undefined {
  if (typeof value !== "object" || value === null || !("digits" in value)) return undefined;
  const number = /^[0-9]{1,16}$/.test(value.digits) ? Number(value.digits) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A value in a few words, for a message. */
export function describeJson(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (value instanceof Map) return "an object";
  if ("digits" in value) return value.digits.slice(0, 40);
  if (Array.isArray(value))
    return value.length <= 8 ? `[${value.map(describeJson).join(", ")}]`.slice(0, 80) : "a list";
  return "an object";
}
