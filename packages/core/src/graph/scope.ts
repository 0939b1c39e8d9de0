let current = "";

/** Path of the module whose forward pass is being recorded; "" outside of all. */
export const currentScope = (): string => current;

/** Records what `work` makes under a scope. `work` must not be asynchronous. */
export function within<T>(scope: string, work: () => T): T {
  const before = current;
  current = scope;
  try {
    return work();
  } finally {
    current = before;
  }
}

const ids = new Map<string, number>();
/** A number for each scope, for signatures. */
export function scopeId(scope: string): number {
  const id = ids.get(scope) ?? ids.size;
  ids.set(scope, id);
  return id;
}
