type Step<T> = (value: T, index: number) => unknown;

const helpers = {
  *map<T>(this: Iterable<T>, f: Step<T>) {
    let i = 0;
    for (const value of this) yield f(value, i++);
  },
  *filter<T>(this: Iterable<T>, f: Step<T>) {
    let i = 0;
    for (const value of this) if (f(value, i++)) yield value;
  },
  toArray<T>(this: Iterable<T>): T[] {
    return [...this];
  },
  some<T>(this: Iterable<T>, f: Step<T>): boolean {
    return [...this].some(f);
  },
  every<T>(this: Iterable<T>, f: Step<T>): boolean {
    return [...this].every(f);
  },
};

/** Iterator helpers of ES2025, which jax-js is written with and Node 20 lacks. */
export function provideIteratorHelpers(): void {
  const prototype: object = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
  for (const [name, value] of Object.entries(helpers))
    if (!(name in prototype)) Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}
