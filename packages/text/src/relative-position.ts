/**
 * Bucket of a relative position, key − query, as T5 counts them: half of the buckets for each direction; of those the first half exact,
 * the rest logarithmic up to `maxDistance`.
 *
 * @see Raffel et al. 2020, "Exploring the Limits of Transfer Learning", section 2.1
 */
export function relativePositionBucket(
  relative: number,
  { buckets, maxDistance }: { readonly buckets: number; readonly maxDistance: number },
): number {
  const perSide = Math.floor(buckets / 2);
  const offset = relative > 0 ? perSide : 0;
  const distance = Math.abs(relative);
  const exact = Math.floor(perSide / 2);
  if (distance < exact) return offset + distance;
  const far = exact + Math.trunc((Math.log(distance / exact) / Math.log(maxDistance / exact)) * (perSide - exact));
  return offset + Math.min(far, perSide - 1);
}

/** Buckets of all (query, key) pairs of a text of `length` tokens, row-major. */
export function bucketTable(
  length: number,
  options: { readonly buckets: number; readonly maxDistance: number },
): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: length * length }, (_, i) =>
    relativePositionBucket((i % length) - Math.floor(i / length), options),
  );
}
