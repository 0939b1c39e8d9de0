/** Base of every error this library throws on purpose: `catch (e) { if (e instanceof OmniError) … }`. */
export class OmniError extends Error {
  /** The class's name: it tells errors apart where `instanceof` cannot, such as behind a worker. */
  override readonly name: string = "OmniError";
}

/** Shapes that do not fit together. The message reads `op: what must hold, got what`. */
export class ShapeError extends OmniError {
  override readonly name = "ShapeError";
}

/** An element type an op does not take. */
export class DTypeError extends OmniError {
  override readonly name = "DTypeError";
}

/** A checkpoint that is truncated, malformed or does not match the module it is loaded into. */
export class CheckpointError extends OmniError {
  override readonly name = "CheckpointError";
}

/** A lazy tensor that read a parameter which has been assigned since: its value is gone. */
export class StaleTensorError extends OmniError {
  override readonly name = "StaleTensorError";
}

/**
 * What went wrong on the device: no adapter at all, the device lost, a call the validation refused, memory (the adapter's or
 * the pool's budget) exhausted, or WGSL that does not compile.
 */
export type DeviceErrorKind = "unavailable" | "lost" | "validation" | "out-of-memory" | "compile" | "internal";

/** A failure of the GPU device or of the search for one. */
export class DeviceError extends OmniError {
  override readonly name = "DeviceError";
  /** What went wrong. */
  readonly kind: DeviceErrorKind;

  constructor(kind: DeviceErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/**
 * States what the code itself guarantees; a failure is a bug of this library, not of its caller.
 *
 * @throws OmniError when `condition` is false
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new OmniError(`broken invariant: ${message}`);
}
