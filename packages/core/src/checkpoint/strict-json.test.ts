import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, jsonInteger, parseStrictJson } from "./strict-json.ts";

class Refusal extends Error {}

const parse = (text: string) =>
  parseStrictJson(text, (rule, got) => {
    throw new Refusal(`${rule}, got ${got}`);
  });

/** As `JSON.parse` has it. */
function plain(json: Json): unknown {
  if (json instanceof Map) {
    const entries: [string, unknown][] = [...json].map(([key, value]: [string, Json]) => [key, plain(value)]);
    return Object.fromEntries(entries);
  }
  if (Array.isArray(json)) return json.map(plain);
  if (typeof json === "object" && json !== null && "digits" in json) return Number(json.digits);
  return json;
}

function accepted<T>(read: (text: string) => T, text: string): { value: T } | undefined {
  try {
    return { value: read(text) };
  } catch (error) {
    if (error instanceof Refusal || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

describe("parseStrictJson", () => {
  test("reads what JSON.stringify writes, with any white space", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, " ", "\t", 2), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(plain(parse(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test("accepts a damaged text only where JSON.parse does, and reads the same", () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:\\ \n0123456789.-+eEtrufalsn\u0001é'.split(""),
      "\\u00e9",
      "\\ud83c\\udfac",
      "null",
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.tuple(fc.nat(), pieces, fc.nat(2)), { maxLength: 3 }), (value, edits) => {
        let text = JSON.stringify(value);
        for (const [at, piece, removed] of edits) {
          const index = at % (text.length + 1);
          text = text.slice(0, index) + piece + text.slice(index + removed);
        }
        const ours = accepted(parse, text);
        const theirs = accepted((source) => JSON.parse(source) as unknown, text);
        if (ours !== undefined) expect(plain(ours.value)).toEqual(theirs?.value);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['{"a":1,"a":1}', 'a JSON object must name each key once, got "a" twice'],
    ['{"a":1,"\\u0061":2}', 'a JSON object must name each key once, got "a" twice'],
    ['[{"b":{"__proto__":1,"__proto__":2}}]', 'a JSON object must name each key once, got "__proto__" twice'],
    ['"\\ud800"', 'JSON must have a surrogate pair at character 7, got "\\""'],
    ['"\\ud800\\u0041"', 'JSON must have a surrogate pair at character 13, got "\\""'],
    ['"\\udc00"', 'JSON must have a surrogate pair at character 7, got "\\""'],
    ["", "JSON must have a value at character 0, got its end"],
    ["[1] 2", 'JSON must have nothing more at character 4, got "2"'],
    ["[01]", 'JSON must have "," or "]" at character 2, got "1]"'],
  ])("refuses %s", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  test("refuses deep nesting before the stack runs out", () => {
    expect(() => parse("[".repeat(64) + "]".repeat(64))).not.toThrow();
    expect(() => parse("[".repeat(65) + "]".repeat(65))).toThrow("JSON must nest at most 64 deep");
    expect(() => parse('{"a":'.repeat(2_000_000))).toThrow("JSON must nest at most 64 deep");
  });

  test("refuses more values than a real header holds", () => {
    expect(() => parse(`[${"0,".repeat(1 << 20)}0]`)).toThrow("JSON must hold at most 1048576 values");
  });
});

describe("jsonInteger", () => {
  test("takes plain digits below 2^53 and nothing else", () => {
    const read = (text: string) => jsonInteger(parse(text));
    expect(["0", "12", "9007199254740991"].map(read)).toEqual([0, 12, 2 ** 53 - 1]);
    for (const text of ["9007199254740992", "18446744073709551616", "1.0", "1e3", "-0", "-1", '"1"', "null", "[1]"])
      expect(read(text)).toBeUndefined();
  });
});
