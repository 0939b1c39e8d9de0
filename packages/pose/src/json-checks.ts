/** A keypoint file that does not keep its format. */
export class KeypointFormatError extends Error {
  override readonly name = "KeypointFormatError";
}

/** @throws KeypointFormatError unless it is an object */
export function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object", value);
  return { ...value };
}

/** @throws KeypointFormatError unless it is a list */
export function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, "a list", value);
  return value;
}

/** @throws KeypointFormatError unless it is a finite number */
export function finite(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(path, "a number", value);
  return value;
}

/** What to throw at a place that is wrong. */
export function wrong(path: string, wanted: string, got: unknown): KeypointFormatError {
  return new KeypointFormatError(
    `keypoints: ${path} must be ${wanted}, got ${String(JSON.stringify(got)).slice(0, 80)}`,
  );
}
