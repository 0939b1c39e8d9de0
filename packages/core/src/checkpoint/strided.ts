/** A strided view of bytes; offsets and strides are in elements. */
export interface StridedView {
  readonly itemBytes: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Gives `length` bytes from `begin`. */
export type ReadBytes = (begin: number, length: number) => Promise<Uint8Array>;

interface Axis {
  readonly size: number;
  /** Bytes between neighbours in the view, and in row-major order. */
  readonly step: number;
  readonly denseStep: number;
}

/** What is read at once; a view that reaches no further is read whole, in whatever order it goes over it. */
const WHOLE_BYTES = 64 << 20;
const WINDOW_BYTES = 4 << 20;

/** Whether the elements lie in row-major order without gaps, so that they can be read as they are. */
export function isRowMajor({ shape, strides }: StridedView): boolean {
  let dense = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== dense) return false;
    dense *= size;
  }
  return true;
}

/**
 * Why a view is refused, or undefined. Expanded views (strides of 0) and sliding windows name elements more than once: a few bytes
 * could claim any amount of memory, or be read in an order that reads a large file again and again.
 *
 * @param heldBytes bytes of the storage behind the view
 */
export function refusedOverlap(view: StridedView, bytes: number, heldBytes: number): string | undefined {
  if (bytes > heldBytes + WHOLE_BYTES) return `${bytes} bytes out of a storage of ${heldBytes}`;
  const axes = orderedAxes(view).filter(({ step }) => step > 0);
  const ordered = axes.every(({ step }, i) => step > reach(axes.slice(i + 1)));
  const span = reach(axes) + view.itemBytes;
  return ordered || span <= WHOLE_BYTES ? undefined : `windows that overlap over ${span} bytes`;
}

/** The elements in row-major order; at most 64 MiB are held beside the result. */
export async function gather(view: StridedView, bytes: number, read: ReadBytes): Promise<Uint8Array> {
  const out = new Uint8Array(bytes);
  const { itemBytes } = view;
  const axes = orderedAxes(view);
  const inner = axes.pop() ?? { size: 1, step: 0, denseStep: 0 };
  const first = view.offset * itemBytes;
  const end = first + reach([...axes, inner]) + itemBytes;
  const held = end - first <= WHOLE_BYTES ? WHOLE_BYTES : WINDOW_BYTES;
  let begin = first;
  let window = await read(first, Math.min(held, end - first));
  let copy = itemCopier(itemBytes, window, out);

  const counter = axes.map(() => 0);
  let from = first;
  let to = 0;
  for (;;) {
    for (let i = 0; i < inner.size;) {
      const item = from + i * inner.step;
      if (item < begin || item + itemBytes > begin + window.length) {
        begin = item;
        window = await read(item, Math.min(held, end - item));
        copy = itemCopier(itemBytes, window, out);
      }
      const room = begin + window.length - itemBytes - item;
      const fits = inner.step === 0 ? inner.size : Math.min(inner.size, i + 1 + Math.floor(room / inner.step));
      for (; i < fits; i++) {
        const source = from + i * inner.step - begin;
        const target = to + i * inner.denseStep;
        copy(source, target);
      }
    }
    let axis = axes.length - 1;
    for (; axis >= 0; axis--) {
      const { size, step, denseStep } = axes[axis] ?? inner;
      const next = (counter[axis] ?? 0) + 1;
      if (next < size) {
        counter[axis] = next;
        from += step;
        to += denseStep;
        break;
      }
      counter[axis] = 0;
      from -= (size - 1) * step;
      to -= (size - 1) * denseStep;
    }
    if (axis < 0) return out;
  }
}

/** Copies an item from one offset to another, in the largest words that make it up; neither side need be aligned. */
function itemCopier(itemBytes: number, from: Uint8Array, to: Uint8Array): (source: number, target: number) => void {
  const source = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const target = new DataView(to.buffer);
  if (itemBytes === 1) return (at, put) => target.setUint8(put, source.getUint8(at));
  if (itemBytes === 2) return (at, put) => target.setUint16(put, source.getUint16(at));
  if (itemBytes === 4) return (at, put) => target.setUint32(put, source.getUint32(at));
  return (at, put) => target.setBigUint64(put, source.getBigUint64(at));
}

/** The axes that are walked, the farthest apart first: a view without overlap is then read from its front to its end. */
function orderedAxes({ shape, strides, itemBytes }: StridedView): Axis[] {
  const axes: Axis[] = [];
  let denseStep = itemBytes;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1) axes.push({ size, step: (strides[axis] ?? 0) * itemBytes, denseStep });
    denseStep *= size;
  }
  return axes.sort((a, b) => b.step - a.step);
}

/** Bytes from the first element to the last. */
function reach(axes: readonly Axis[]): number {
  return axes.reduce((sum, { size, step }) => sum + (size - 1) * step, 0);
}
