const SMALLEST = 256;

/**
 * Rounds a byte count up to its size class: a power of two divided into eight steps, so at most 12.5 % is lost and a freed
 * buffer fits the next request of about its size.
 *
 * @returns a multiple of 32, at least 256
 */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  // Not by shifts: sizes pass 2^31.
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
