/**
 * Keeps one damaged packet from ending the process.
 *
 * mediabunny 1.61 runs the calls to a custom decoder one after another on one promise. After a call that failed,
 * `close` fails with the same error, and nobody waits for that promise: Node takes an unhandled rejection as fatal.
 * Here a failed call is reported once and the next one runs all the same. Does nothing where the internals differ.
 *
 * @param sink an AudioSampleSink or a VideoSampleSink that has not decoded yet
 */
export function guardDecoder(sink: object): void {
  const create: unknown = Reflect.get(sink, "_createDecoder");
  if (typeof create !== "function") return;
  Reflect.set(sink, "_createDecoder", async (...args: unknown[]) => {
    const decoder: unknown = await Reflect.apply(create, sink, args);
    const serializer: unknown = isObject(decoder) ? Reflect.get(decoder, "customDecoderCallSerializer") : undefined;
    if (isObject(serializer)) Reflect.set(serializer, "call", forgivingCall(Reflect.get(serializer, "currentPromise")));
    return decoder;
  });
}

function forgivingCall(started: unknown): (task: () => unknown) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve(started).catch(() => undefined);
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
