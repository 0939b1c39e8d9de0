const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/**
 * A row-major array with its axes in another order.
 *
 * @param shape of `values`
 * @param order axis i of the result is axis order[i] of `values`
 */
export function permuted(
  values: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
  const target = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const result = new Float32Array(product(shape));
  const place = target.map(() => 0);
  let from = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = values[from] ?? NaN;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      const next = (place[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if (next < (target[axis] ?? 1)) {
        place[axis] = next;
        break;
      }
      from -= next * (steps[axis] ?? 0);
      place[axis] = 0;
    }
  }
  return result;
}

/** [N, C, ...size] as [N, ...size, C]. */
export function channelsLast(values: ArrayLike<number>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  return permuted(values, shape, [0, ...shape.slice(2).map((_, i) => i + 2), 1]);
}

/** [N, ...size, C] as [N, C, ...size]. */
export function channelsFirst(values: ArrayLike<number>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const last = shape.length - 1;
  return permuted(values, shape, [0, last, ...shape.slice(1, last).map((_, i) => i + 1)]);
}

/** Several arrays one after another. */
export function joinedArrays(parts: readonly ArrayLike<number>[]): Float32Array {
  const all = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
