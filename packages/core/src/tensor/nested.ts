import { ShapeError } from "../base/errors.ts";

/** Numbers in nested arrays of equal lengths. */
export type Nested = number | boolean | readonly Nested[];

/** The numbers in row-major order, and how they were nested. @throws ShapeError when lengths or depths differ */
export function flattened(values: Nested): { shape: number[]; flat: number[] } {
  const shape: number[] = [];
  const flat: number[] = [];
  const visit = (value: Nested, depth: number): void => {
    if (typeof value === "number" || typeof value === "boolean") {
      if (depth !== shape.length) throw new ShapeError("tensor: nested arrays must have equal depth");
      flat.push(Number(value));
      return;
    }
    if (depth === shape.length && flat.length === 0) shape.push(value.length);
    if (shape[depth] !== value.length)
      throw new ShapeError(
        `tensor: nested arrays must have equal lengths, got ${value.length} where ${shape[depth]} was expected`,
      );
    for (const v of value) visit(v, depth + 1);
  };
  visit(values, 0);
  return { shape, flat };
}
