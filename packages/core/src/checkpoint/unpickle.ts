import { PickleCursor, type PickleFail } from "./pickle-cursor.ts";
import { describePickle } from "./pickle-describe.ts";
import { buildState, callGlobal, pickleGlobal } from "./pickle-globals.ts";
import { isNode, type NodeOfKind, type PickleNode, type PickleSequence, type PickleValue } from "./pickle-value.ts";

/** What a pickle may reach. */
export interface PickleWorld {
  readonly fail: PickleFail;
  /** The value that stands for a persistent id: of PyTorch, a storage. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

export interface Unpickled {
  readonly value: PickleValue;
  /** Index of the first byte behind the pickle. */
  readonly end: number;
}

// Enough for 40,000 tensors, each of which takes about ten containers and thirty values.
const MAX_VALUES = 1 << 22;
const MAX_CONTAINERS = 1 << 19;
// Picklers mention a global once; each takes a look-up by name.
const GLOBAL_COST = 16;
const MAX_PROTOCOL = 5;

/**
 * Reads one pickle, protocols 0 to 5, as data: no class is looked up and nothing is called but the constructors of tensors and
 * containers listed in `pickle-globals.ts`. Values that a pickle mentions twice are shared, so that it may hold cycles.
 *
 * Time and memory are bounded by the pickle's length and by fixed counts.
 *
 * @throws PickleUnderrun when the pickle goes on behind `bytes`; what `world.fail` throws when it breaks a rule
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
export function unpickle(bytes: Uint8Array, begin: number, world: PickleWorld): Unpickled {
  const { fail } = world;
  const cursor = new PickleCursor(bytes, begin, fail);
  const stack: PickleValue[] = [];
  const marks: number[] = [];
  const memo: PickleValue[] = [];
  let values = 0;
  let containers = 0;

  const charge = (count: number) => {
    values += count;
    if (values > MAX_VALUES) fail(`a pickle must hold at most ${MAX_VALUES} values`, "more", "save fewer values in it");
  };
  const push = (value: PickleValue) => {
    charge(1);
    stack.push(value);
  };
  const pushNode = (node: PickleValue) => {
    if (++containers > MAX_CONTAINERS)
      fail(`a pickle must hold at most ${MAX_CONTAINERS} containers`, "more", "save fewer values in it");
    push(node);
  };
  const floor = () => marks.at(-1) ?? 0;
  const pop = (): PickleValue => {
    const value = stack.length > floor() ? stack.pop() : undefined;
    return value === undefined ? fail("a pickle must push before it pops", `an empty stack at ${cursor.at}`) : value;
  };
  const top = (): PickleValue => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const popMark = (): PickleValue[] => {
    const mark = marks.pop();
    return mark === undefined
      ? fail("a pickle must mark before it collects", `no mark at ${cursor.at}`)
      : stack.splice(mark);
  };
  const popTuple = (length: number): PickleSequence => {
    const items: PickleValue[] = [];
    for (let i = 0; i < length; i++) items.unshift(pop());
    return { kind: "tuple", items };
  };
  const expectNode = <K extends PickleNode["kind"]>(value: PickleValue, kind: K): NodeOfKind<K> => {
    if (isNode(value) && isKind(value, kind)) return value;
    return fail(`a pickle must have a ${kind} here, at ${cursor.at}`, describePickle(value));
  };
  const addItems = (kind: "list" | "set", items: readonly PickleValue[]) => {
    const target = expectNode(top(), kind).items;
    for (const item of items) target.push(item);
  };
  const pairs = (items: PickleValue[]): PickleValue[] =>
    items.length % 2 === 0
      ? items
      : fail("a pickle must give a dict keys and values in turn", `${items.length} in all`);
  const setItems = (items: PickleValue[]) => {
    const target = expectNode(top(), "dict").items;
    for (const item of pairs(items)) target.push(item);
  };
  const put = (index: number) => {
    // Every pickler counts up, from 0 or 1.
    if (index > memo.length + 1) fail(`a pickle must number its memo in turn, at most ${memo.length + 1}`, `${index}`);
    if (index >= memo.length) charge(1);
    memo[index] = top();
  };
  const get = (index: number) => {
    const value = memo[index];
    push(value === undefined ? fail("a pickle must refer to what it has put in its memo", `entry ${index}`) : value);
  };
  const global = (module: PickleValue, name: PickleValue) => {
    charge(GLOBAL_COST);
    return pickleGlobal(module, name, fail);
  };
  const pushInteger = (read: () => number | bigint) => {
    const from = cursor.at;
    const value = read();
    if (typeof value === "bigint") charge(cursor.at - from);
    push(value);
  };
  const call = (callee: PickleValue, args: readonly PickleValue[]) =>
    pushNode(callGlobal(expectNode(callee, "global"), args, { fail, charge }));
  const textInteger = () => {
    const index = cursor.decimal();
    return typeof index === "number" && index >= 0 ? index : fail("a memo entry must have a number", `${index}`);
  };

  /** Performs an opcode; true at the end. */
  const step = (opcode: number): boolean => {
    switch (opcode) {
      case 0x80: {
        const protocol = cursor.u8();
        if (protocol > MAX_PROTOCOL)
          fail(`a pickle must be of protocol 0 to ${MAX_PROTOCOL}`, `${protocol}`, "save it with protocol 2");
        return false;
      }
      case 0x95: // FRAME: how much to buffer
        cursor.u64();
        return false;
      case 0x2e: // STOP
        return true;

      case 0x28: // MARK
        charge(1);
        marks.push(stack.length);
        return false;
      case 0x30: // POP
        if (stack.length > floor()) stack.pop();
        else popMark();
        return false;
      case 0x31: // POP_MARK
        popMark();
        return false;
      case 0x32: // DUP
        push(top());
        return false;

      case 0x4e: // NONE
        push(null);
        return false;
      case 0x88: // NEWTRUE
        push(true);
        return false;
      case 0x89: // NEWFALSE
        push(false);
        return false;
      case 0x49: {
        // INT, of which 00 and 01 are booleans
        const from = cursor.at;
        const word = cursor.line();
        const isBoolean = word === "00" || word === "01";
        if (!isBoolean) cursor.at = from;
        if (isBoolean) push(word === "01");
        else pushInteger(() => cursor.decimal());
        return false;
      }
      case 0x4c: // LONG
        pushInteger(() => cursor.decimal());
        return false;
      case 0x4a: // BININT
        push(cursor.i32());
        return false;
      case 0x4b: // BININT1
        push(cursor.u8());
        return false;
      case 0x4d: // BININT2
        push(cursor.u16());
        return false;
      case 0x8a: // LONG1
        pushInteger(() => cursor.integer(cursor.u8()));
        return false;
      case 0x8b: // LONG4
        pushInteger(() => cursor.integer(cursor.u32()));
        return false;
      case 0x46: // FLOAT
        push(textFloat(cursor.line(), fail));
        return false;
      case 0x47: // BINFLOAT
        push(cursor.f64());
        return false;

      case 0x53: // STRING
        push(quotedString(cursor.line(), fail));
        return false;
      case 0x54: // BINSTRING
        push(cursor.oldString(cursor.u32()));
        return false;
      case 0x55: // SHORT_BINSTRING
        push(cursor.oldString(cursor.u8()));
        return false;
      case 0x56: // UNICODE
        push(rawUnicode(cursor.line()));
        return false;
      case 0x58: // BINUNICODE
        push(cursor.text(cursor.u32()));
        return false;
      case 0x8c: // SHORT_BINUNICODE
        push(cursor.text(cursor.u8()));
        return false;
      case 0x8d: // BINUNICODE8
        push(cursor.text(cursor.u64()));
        return false;
      case 0x42: // BINBYTES
        push(cursor.bytes(cursor.u32()));
        return false;
      case 0x43: // SHORT_BINBYTES
        push(cursor.bytes(cursor.u8()));
        return false;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        push(cursor.bytes(cursor.u64()));
        return false;

      case 0x29: // EMPTY_TUPLE
        pushNode({ kind: "tuple", items: [] });
        return false;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        pushNode(popTuple(opcode - 0x84));
        return false;
      case 0x74: // TUPLE
        pushNode({ kind: "tuple", items: popMark() });
        return false;
      case 0x5d: // EMPTY_LIST
        pushNode({ kind: "list", items: [] });
        return false;
      case 0x6c: // LIST
        pushNode({ kind: "list", items: popMark() });
        return false;
      case 0x61: // APPEND
        addItems("list", [pop()]);
        return false;
      case 0x65: // APPENDS
        addItems("list", popMark());
        return false;
      case 0x7d: // EMPTY_DICT
        pushNode({ kind: "dict", items: [] });
        return false;
      case 0x64: // DICT
        pushNode({ kind: "dict", items: pairs(popMark()) });
        return false;
      case 0x73: // SETITEM
        setItems(popTuple(2).items);
        return false;
      case 0x75: // SETITEMS
        setItems(popMark());
        return false;
      case 0x8f: // EMPTY_SET
        pushNode({ kind: "set", items: [] });
        return false;
      case 0x90: // ADDITEMS
        addItems("set", popMark());
        return false;
      case 0x91: // FROZENSET
        pushNode({ kind: "set", items: popMark() });
        return false;

      case 0x70: // PUT
        put(textInteger());
        return false;
      case 0x71: // BINPUT
        put(cursor.u8());
        return false;
      case 0x72: // LONG_BINPUT
        put(cursor.u32());
        return false;
      case 0x94: // MEMOIZE
        put(memo.length);
        return false;
      case 0x67: // GET
        get(textInteger());
        return false;
      case 0x68: // BINGET
        get(cursor.u8());
        return false;
      case 0x6a: // LONG_BINGET
        get(cursor.u32());
        return false;

      case 0x63: // GLOBAL
        push(global(cursor.line(), cursor.line()));
        return false;
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        push(global(pop(), name));
        return false;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = expectNode(pop(), "tuple").items;
        call(pop(), args);
        return false;
      }
      case 0x92: {
        // NEWOBJ_EX
        const named = expectNode(pop(), "dict").items;
        if (named.length > 0) fail("a pickle's calls must have no named arguments", `${named.length / 2}`);
        const args = expectNode(pop(), "tuple").items;
        call(pop(), args);
        return false;
      }
      case 0x69: // INST
        call(global(cursor.line(), cursor.line()), popMark());
        return false;
      case 0x6f: {
        // OBJ
        const [callee = null, ...args] = popMark();
        call(callee, args);
        return false;
      }
      case 0x62: {
        // BUILD
        const state = pop();
        buildState(top(), state, { fail, charge });
        return false;
      }
      case 0x51: // BINPERSID
        pushNode(world.persistent(pop()));
        return false;
      default:
        return fail(
          "a pickle must be made of opcodes that save data",
          `opcode 0x${opcode.toString(16).padStart(2, "0")} at ${cursor.at - 1}`,
        );
    }
  };

  while (!step(cursor.u8()));
  const value = pop();
  if (stack.length + marks.length > 0) fail("a pickle must end with one value", `${stack.length + 1}`);
  return { value, end: cursor.at };
}

function isKind<K extends PickleNode["kind"]>(node: PickleNode, kind: K): node is NodeOfKind<K> {
  return node.kind === kind;
}

function textFloat(line: string, fail: PickleFail): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(line)) return Number(line);
  const special = /^([+-]?)(inf|nan)$/.exec(line);
  if (special === null) return fail("a pickle's floats must be decimal", JSON.stringify(line.slice(0, 40)));
  if (special[2] === "nan") return Number.NaN;
  return special[1] === "-" ? -Infinity : Infinity;
}

/** Python 2's string literals as far as they hold no escape. */
function quotedString(line: string, fail: PickleFail): string {
  const match = /^(["'])([^\\]*)\1$/.exec(line);
  return (
    match?.[2] ??
    fail("a pickle's quoted strings must be plain", JSON.stringify(line.slice(0, 40)), "save it with protocol 2")
  );
}

function rawUnicode(line: string): string {
  return line.replace(
    /\\u([0-9a-fA-F]{4})|\\U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})/g,
    (_, short: string, long: string) => String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  );
}
