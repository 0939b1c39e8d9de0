import { storedBytes, WORD_BYTES, type DType } from "../base/dtype.ts";
import type { View } from "../base/view.ts";
import type { Value } from "./spec.ts";

/** The part of a buffer that one binding shows, bytes. A buffer may be larger than what an adapter binds. */
export interface Window {
  readonly offset: number;
  readonly bytes: number;
}

/** Offsets of bindings are multiples of it: 256 bytes of the narrowest type. */
export const WINDOW_ELEMENTS = 256;
const WINDOW_BYTES = 256;

/** Bytes that a window may show on an adapter that binds so many. */
export const windowBytes = (limit: number): number => Math.floor(limit / WINDOW_BYTES) * WINDOW_BYTES;

/** Elements of four bytes that every input and output of a piece of work may have, so that each fits a window at any offset. */
export const pieceElements = (limit: number): number =>
  Math.floor(windowBytes(limit) / WORD_BYTES / WINDOW_ELEMENTS - 1) * WINDOW_ELEMENTS;

/** The window of elements first … first + count − 1, and the element that it starts with. */
export function windowOf(
  value: Value,
  dtype: DType,
  first: number,
  count: number,
): { readonly window: Window; readonly start: number } {
  const start = Math.floor(first / WINDOW_ELEMENTS) * WINDOW_ELEMENTS;
  const offset = storedBytes(start, dtype);
  const end = Math.ceil(storedBytes(first + count, dtype) / 16) * 16;
  return { window: { offset, bytes: Math.min(end, Math.ceil(value.bytes / 16) * 16) - offset }, start };
}

/** The least window that shows all of a view of a value too large to be bound, and the view in it; null where none does. */
export function narrowed(
  value: Value,
  view: View,
  dtype: DType,
  limit: number,
): { readonly window: Window; readonly view: View } | null {
  if (view.shape.includes(0)) return null;
  let [low, high] = [view.offset, view.offset];
  view.shape.forEach((n, axis) => {
    const reach = (n - 1) * (view.strides[axis] ?? 0);
    if (reach < 0) low += reach;
    else high += reach;
  });
  const { window, start } = windowOf(value, dtype, low, high - low + 1);
  return window.bytes > limit ? null : { window, view: { ...view, offset: view.offset - start } };
}
