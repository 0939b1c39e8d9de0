import { f32BitsFromF16 } from "../base/half.ts";
import type { PickleFail } from "./pickle-cursor.ts";
import { describePickle } from "./pickle-describe.ts";
import { isNode, type PickleValue } from "./pickle-value.ts";

type Read = (view: DataView, little: boolean) => number | bigint | boolean;

/** How a scalar's bytes are read, by numpy's code of its type: kind and bytes. */
const SCALARS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["f8", (view, little) => view.getFloat64(0, little)],
  ["f4", (view, little) => view.getFloat32(0, little)],
  ["f2", (view, little) => halfValue(view.getUint16(0, little))],
  ["i8", (view, little) => exact(view.getBigInt64(0, little))],
  ["i4", (view, little) => view.getInt32(0, little)],
  ["i2", (view, little) => view.getInt16(0, little)],
  ["i1", (view) => view.getInt8(0)],
  ["u8", (view, little) => exact(view.getBigUint64(0, little))],
  ["u4", (view, little) => view.getUint32(0, little)],
  ["u2", (view, little) => view.getUint16(0, little)],
  ["u1", (view) => view.getUint8(0)],
  ["b1", (view) => view.getUint8(0) !== 0],
]);

function halfValue(half: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, f32BitsFromF16(half));
  return view.getFloat32(0);
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** `numpy.dtype("f8", False, True)`: a metric that was saved without `.item()` brings one along. */
export function numpyDType(args: readonly PickleValue[], fail: PickleFail): PickleValue {
  const [code] = args;
  if (typeof code === "string" && SCALARS.has(code)) return { kind: "numpy", code, bigEndian: false };
  return fail("numpy values must be real numbers", describePickle(code), "save them as Python numbers or tensors");
}

/** `numpy.core.multiarray.scalar(dtype, bytes)` as a number or boolean. */
export function numpyScalar(args: readonly PickleValue[], fail: PickleFail): PickleValue {
  const [dtype, stored] = args;
  const bytes = typeof stored === "string" ? new TextEncoder().encode(stored) : stored;
  if (!isNode(dtype) || dtype.kind !== "numpy" || !(bytes instanceof Uint8Array) || args.length !== 2)
    return fail("a numpy scalar must have a type and bytes", describePickle({ kind: "tuple", items: [...args] }));
  const { code, bigEndian } = dtype;
  const read = SCALARS.get(code);
  if (read === undefined || bytes.length !== Number(code.slice(1)))
    return fail(`a numpy scalar of ${code} must have ${code.slice(1)} bytes`, `${bytes.length}`);
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), !bigEndian);
}
