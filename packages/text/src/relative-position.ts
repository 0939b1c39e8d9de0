/** How relative positions fall into buckets. */
export interface BucketOptions {
  readonly buckets: number;
  /** Distance from which on all share the last bucket. */
  readonly maxDistance: number;
  /** Half of the buckets for keys after the query (an encoder, the default), or none: they share bucket 0 with the query (a decoder). */
  readonly bidirectional?: boolean;
}

/**
 * Bucket of a relative position, key − query, as T5 counts them: half of the buckets for each direction; of those the first half exact,
 * the rest logarithmic up to `maxDistance`.
 *
 * @see Raffel et al. 2020, "Exploring the Limits of Transfer Learning", section 2.1
 */
export function relativePositionBucket(
  relative: number,
  { buckets, maxDistance, bidirectional = true }: BucketOptions,
): number {
  const perSide = bidirectional ? Math.floor(buckets / 2) : buckets;
  const offset = bidirectional && relative > 0 ? perSide : 0;
  const distance = bidirectional ? Math.abs(relative) : Math.max(0, -relative);
  const exact = Math.floor(perSide / 2);
  if (distance < exact) return offset + distance;
  // in f32 as upstream: at powers of the ratio the rounding decides
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(distance / exact))) / fround(Math.log(maxDistance / exact)));
  const far = exact + Math.trunc(fround(share * (perSide - exact)));
  return offset + Math.min(far, perSide - 1);
}

/** Buckets of all (query, key) pairs of a text of `length` tokens, row-major. */
export function bucketTable(length: number, options: BucketOptions): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: length * length }, (_, i) =>
    relativePositionBucket((i % length) - Math.floor(i / length), options),
  );
}
