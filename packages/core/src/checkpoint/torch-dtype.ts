import type { StoredDType } from "./stored-dtype.ts";

/** PyTorch's element types that a checkpoint here can hold, by their names within `torch`. */
export const TORCH_DTYPES: ReadonlyMap<string, StoredDType> = new Map([
  ["float64", "F64"],
  ["float32", "F32"],
  ["float16", "F16"],
  ["bfloat16", "BF16"],
  ["float8_e4m3fn", "F8_E4M3"],
  ["float8_e5m2", "F8_E5M2"],
  ["float8_e8m0fnu", "F8_E8M0"],
  ["int64", "I64"],
  ["int32", "I32"],
  ["int16", "I16"],
  ["int8", "I8"],
  ["uint64", "U64"],
  ["uint32", "U32"],
  ["uint16", "U16"],
  ["uint8", "U8"],
  ["bool", "BOOL"],
]);

/** Types that PyTorch has and nothing here computes with: their names may be mentioned, their tensors are refused. */
export const OTHER_TORCH_DTYPES: ReadonlySet<string> = new Set([
  "complex32",
  "complex64",
  "complex128",
  "qint8",
  "quint8",
  "qint32",
  "quint4x2",
  "quint2x4",
]);

/** The classes of storages, by their names within `torch` or `torch.cuda`; null is raw bytes. */
export const STORAGE_CLASSES: ReadonlyMap<string, StoredDType | null> = new Map([
  ["DoubleStorage", "F64"],
  ["FloatStorage", "F32"],
  ["HalfStorage", "F16"],
  ["BFloat16Storage", "BF16"],
  ["LongStorage", "I64"],
  ["IntStorage", "I32"],
  ["ShortStorage", "I16"],
  ["CharStorage", "I8"],
  ["ByteStorage", "U8"],
  ["BoolStorage", "BOOL"],
  ["UntypedStorage", null],
  ["_UntypedStorage", null],
]);
