/** Where encoded texts are kept: bytes by name. Names are hexadecimal. */
export interface StateStore {
  /** Null where the name is unknown. */
  get(name: string): Promise<Uint8Array | null>;
  put(name: string, bytes: Uint8Array): Promise<void>;
}

/** A store that lasts as long as the process or page. */
export function memoryStore(): StateStore {
  const held = new Map<string, Uint8Array>();
  return {
    get: (name) => Promise.resolve(held.get(name) ?? null),
    put: (name, bytes) => {
      held.set(name, bytes);
      return Promise.resolve();
    },
  };
}
