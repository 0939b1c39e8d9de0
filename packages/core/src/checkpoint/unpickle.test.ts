import { describe, expect, test } from "vitest";
import { PickleUnderrun } from "./pickle-cursor.ts";
import { get, global, int, list, mark, type Piece, pickle, put, reduce, str, tuple } from "./pickle.fixture.ts";
import type { PickleValue } from "./pickle-value.ts";
import { nameContents } from "./torch-names.ts";
import { unpickle } from "./unpickle.ts";

const fail = (rule: string, got: string): never => {
  throw new Error(`${rule}, got ${got}`);
};
const persistent = () => fail("no storage", "one");

const read = (piece: Piece): PickleValue => unpickle(pickle(piece), 0, { fail, persistent }).value;
const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const metadata = (piece: Piece) => ({ ...nameContents(read(piece), fail).metadata });

describe("unpickle", () => {
  // What CPython 3.11's pickle and pickletools give for these opcodes.
  test.each<[string, Piece, PickleValue]>([
    ["INT", ascii("I-12\n"), -12],
    ["INT of a boolean", ascii("I01\n"), true],
    ["LONG", ascii("L-9007199254740993L\n"), -9007199254740993n],
    ["LONG1 of no bytes", [0x8a, 0], 0],
    ["LONG1 of a negative number", [0x8a, 1, 0xff], -1],
    ["LONG4", [0x8b, 2, 0, 0, 0, 0, 1], 256],
    ["FLOAT", ascii("F-1.5e3\n"), -1500],
    ["FLOAT of an infinity", ascii("F-inf\n"), -Infinity],
    ["STRING", ascii("S'it is'\n"), "it is"],
    ["BINSTRING", [0x54, 2, 0, 0, 0, ...ascii("ab")], "ab"],
    ["SHORT_BINSTRING that is no text", [0x55, 1, 0xff], Uint8Array.of(0xff)],
    ["UNICODE", ascii("V\\u00e9\\U0001f3ac\n"), "é🎬"],
    ["SHORT_BINUNICODE", [0x8c, 2, 0xc3, 0xa9], "é"],
    ["BINUNICODE8", [0x8d, 1, 0, 0, 0, 0, 0, 0, 0, 0x61], "a"],
    ["BINBYTES8", [0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 0x61], Uint8Array.of(0x61)],
    ["FRAME", [0x95, 9, 0, 0, 0, 0, 0, 0, 0, 0x4b, 3], 3],
    ["POP and DUP", [...int(1), ...int(2), 0x32, 0x30, 0x30], 1],
    ["POP_MARK", [...int(1), ...mark, ...int(2), 0x31], 1],
    ["a memo as text", [...int(5), ...ascii("p0\n0g0\n")], 5],
    ["MEMOIZE", [...int(5), 0x94, 0x30, ...get(0)], 5],
    ["TUPLE2", [...int(5), ...int(6), 0x86], { kind: "tuple", items: [5, 6] }],
    ["LIST and APPEND", [...mark, ...int(5), 0x6c, ...int(6), 0x61], { kind: "list", items: [5, 6] }],
    [
      "DICT and SETITEM",
      [...mark, ...str("a"), ...int(5), 0x64, ...str("b"), ...int(6), 0x73],
      { kind: "dict", items: ["a", 5, "b", 6] },
    ],
    ["FROZENSET", [...mark, ...int(5), 0x91], { kind: "set", items: [5] }],
    ["ADDITEMS", [0x8f, ...mark, ...int(5), 0x90], { kind: "set", items: [5] }],
    ["STACK_GLOBAL", [...str("torch"), ...str("int8"), 0x93], { kind: "dtype", name: "int8" }],
    ["OBJ", [...mark, ...global("builtins", "list"), 0x6f], { kind: "list", items: [] }],
    ["INST", [...mark, 0x69, ...ascii("builtins\nlist\n")], { kind: "list", items: [] }],
  ])("reads %s", (_, piece, value) => {
    expect(read(piece)).toEqual(value);
  });

  test.each<[string, Piece, string]>([
    ["a protocol to come", [0x80, 6], "protocol 0 to 5, got 6"],
    ["an empty stack", [], "push before it pops"],
    ["pops beneath a mark", [...int(1), ...mark, 0x85], "push before it pops"],
    ["no mark", [...int(1), 0x74], "mark before it collects"],
    ["two values", [...int(1), ...int(2)], "must end with one value, got 2"],
    ["a mark left over", [...mark, ...int(1)], "must end with one value"],
    ["a memo entry that is not there", get(3), "what it has put in its memo, got entry 3"],
    ["a memo entry far away", [...int(1), ...put(2 ** 31)], "number its memo in turn, at most 1, got 2147483648"],
    ["half a pair", [0x7d, ...mark, ...str("a"), 0x75], "keys and values in turn, got 1 in all"],
    ["appending to a tuple", [...tuple(), ...int(1), 0x61], "must have a list here"],
    ["state of a list", [...list(), ...list(), 0x62], "the state that Python gives it"],
    ["integers that are none", ascii("I0x10\n"), "must be decimal"],
    ["floats that are none", ascii("F0x10\n"), "must be decimal"],
    ["an integer of 2 GB", [0x8b, 0xff, 0xff, 0xff, 0x7f], "at most 256 bytes"],
    ["a length beyond 2^53", [0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "below 2^53"],
    ["text that is not UTF-8", [0x8c, 1, 0xff], "must be UTF-8"],
    ["a persistent id as text", ascii("P0\n"), "opcode 0x50"],
    ["a buffer out of band", [0x97], "opcode 0x97"],
    ["a name that is no text", [...int(1), ...int(2), 0x93], "a module and a name"],
  ])("refuses %s", (_, piece, message) => {
    expect(() => read(piece)).toThrow(message);
  });

  test("says when more bytes are wanted, whatever the length that is claimed", () => {
    for (const piece of [
      [0x58, 0xff, 0xff, 0xff, 0xff],
      [0x42, 0, 0, 0, 0x80],
      [0x63, 0x61],
      [0x4a, 0],
    ])
      expect(() => unpickle(Uint8Array.from(piece), 0, { fail, persistent })).toThrow(PickleUnderrun);
  });
});

/** The time of `work` in ms, with whatever it throws. */
function timed(work: () => unknown): { ms: number; message: string } {
  const started = performance.now();
  let message = "";
  try {
    work();
  } catch (error) {
    message = String(error);
  }
  return { ms: performance.now() - started, message };
}

// Ten times what they take on two busy cores.
const SHORT = 20_000;

describe("hostile pickles", () => {
  const repeat = (times: number, piece: Piece): number[] => Array.from({ length: times }, () => piece).flat();

  test("a list within itself is refused", () => {
    expect(() => metadata([...list(), ...put(0), ...get(0), 0x61])).toThrow("must nest at most 64 deep");
  });

  test("a hundred thousand lists within each other are refused", () => {
    const { ms, message } = timed(() => metadata([...repeat(100_000, [0x5d]), ...repeat(99_999, [0x61])]));
    expect(message).toContain("must nest at most 64 deep");
    expect(ms).toBeLessThan(SHORT);
  });

  test("lists that double each other sixty times are refused", () => {
    const laughs = Array.from({ length: 60 }, (_, i) => [
      0x5d,
      ...put(i + 1),
      ...mark,
      ...get(i),
      ...get(i),
      0x65,
    ]).flat();
    const { ms, message } = timed(() => metadata([...str("ha"), ...put(0), ...laughs, ...mark, 0x31].concat([])));
    // sixty lists are left on the stack: only the last is the pickle's value
    expect(message).toContain("must end with one value");
    const kept = Array.from({ length: 60 }, (_, i) => [
      0x5d,
      ...put(i + 1),
      ...mark,
      ...get(i),
      ...get(i),
      0x65,
      0x30,
    ]).flat();
    const bomb = timed(() => metadata([...str("ha"), ...put(0), 0x30, ...kept, ...get(60)]));
    expect(bomb.message).toContain("must name at most 1048576 values");
    expect(ms + bomb.ms).toBeLessThan(SHORT);
  });

  test("millions of values from few bytes are refused", () => {
    const copies = [...list(), ...put(0), ...mark, ...repeat(1000, int(1)), 0x65, 0x30];
    const call = [...reduce(global("builtins", "list"), get(0)), 0x30];
    const { ms, message } = timed(() => read([...copies, ...repeat(10_000, call), ...int(1)]));
    expect(message).toContain("must hold at most");
    expect(ms).toBeLessThan(SHORT);
    expect(timed(() => read([...repeat(600_000, [0x7d, 0x30]), ...int(1)])).message).toContain("524288 containers");
  });

  test.each([
    ["marks", [0x28]],
    ["memo entries", [0x94]],
    ["values", [0x4e]],
    ["copies of a value", [0x32]],
  ])("five million %s are refused", (_, piece) => {
    const bytes = new Uint8Array(5_000_001).fill(piece[0] ?? 0).fill(0x4e, 0, 1);
    const { ms, message } = timed(() => unpickle(bytes, 0, { fail, persistent }));
    expect(message).toContain("must hold at most 4194304 values");
    expect(ms).toBeLessThan(SHORT);
  });

  test("a long text encoded again and again is refused", () => {
    const call = [...reduce(global("_codecs", "encode"), get(0), str("latin1")), 0x30];
    const piece = [...str("x".repeat(100_000)), ...put(0), 0x30, ...repeat(1000, call), ...int(1)];
    expect(timed(() => read(piece)).message).toContain("must hold at most 4194304 values");
  });
});
