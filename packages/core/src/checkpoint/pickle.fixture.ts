/** A writer of pickles for tests: opcodes as they come, of any protocol, right or wrong. */
export type Piece = readonly number[];

const text = (value: string): number[] => [...new TextEncoder().encode(value)];

function little(value: number | bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

export const proto = (version = 2): Piece => [0x80, version];
export const stop: Piece = [0x2e];
export const none: Piece = [0x4e];
export const bool = (value: boolean): Piece => [value ? 0x88 : 0x89];
export const mark: Piece = [0x28];
export const put = (index: number): Piece => (index < 256 ? [0x71, index] : [0x72, ...little(index, 4)]);
export const get = (index: number): Piece => (index < 256 ? [0x68, index] : [0x6a, ...little(index, 4)]);
export const global = (module: string, name: string): Piece => [0x63, ...text(`${module}\n${name}\n`)];
export const reduce = (callee: Piece, ...args: Piece[]): Piece => [...callee, ...tuple(...args), 0x52];
export const float = (value: number): Piece => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return [0x47, ...bytes];
};

export function str(value: string): Piece {
  const bytes = text(value);
  return [0x58, ...little(bytes.length, 4), ...bytes];
}

/** As Python's own pickler chooses: BININT1, BININT2, BININT, LONG1. */
export function int(value: number | bigint): Piece {
  const whole = BigInt(value);
  if (whole >= 0n && whole < 1n << 8n) return [0x4b, ...little(whole, 1)];
  if (whole >= 0n && whole < 1n << 16n) return [0x4d, ...little(whole, 2)];
  if (whole >= -(1n << 31n) && whole < 1n << 31n) return [0x4a, ...little(whole, 4)];
  let bytes = 1;
  while (BigInt.asIntN(8 * bytes, whole) !== whole) bytes++;
  return [0x8a, bytes, ...little(whole, bytes)];
}

export const tuple = (...items: Piece[]): Piece => [...mark, ...items.flat(), 0x74];
export const list = (...items: Piece[]): Piece => [0x5d, ...mark, ...items.flat(), 0x65];
export const dict = (...pairs: (readonly [Piece, Piece])[]): Piece => [0x7d, ...mark, ...pairs.flat(2), 0x75];
export const record = (fields: Readonly<Record<string, Piece>>): Piece =>
  dict(...Object.entries(fields).map(([key, value]) => [str(key), value] as const));
export const orderedDict = (fields: Readonly<Record<string, Piece>>): Piece => [
  ...reduce(global("collections", "OrderedDict")),
  ...mark,
  ...Object.entries(fields).flatMap(([key, value]) => [...str(key), ...value]),
  0x75,
];

export const pickle = (value: Piece, version = 2): Uint8Array =>
  Uint8Array.from([...proto(version), ...value, ...stop]);
