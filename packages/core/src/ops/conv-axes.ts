/** One number for all axes, or one an axis. */
export type PerAxis = number | readonly number[];

export const perAxis = (value: PerAxis | undefined, rank: number, otherwise: number): number[] =>
  Array.from({ length: rank }, (_, i) => (typeof value === "number" ? value : value?.[i]) ?? otherwise);

/** The last of three axes, those before filled up: kernels know three. */
export const three = <T>(values: readonly T[], fill: T): [T, T, T] => {
  const [c = fill, b = fill, a = fill] = [...values].reverse();
  return [a, b, c];
};
