import { updateOp } from "./update-op.ts";

/** Inputs: target, value. */
export const assignOp = updateOp({
  name: "assign",
  writes: ["x"],
  reads: ["value"],
  settings: [],
  scaled: false,
  element: "u32",
  body: ({ x, value }) => `${x} = ${value};`,
});

/** x ← x + rate·(value − x). Inputs: target, value, settings = [rate]. */
export const lerpOp = updateOp({
  name: "lerp",
  writes: ["x"],
  reads: ["value"],
  settings: ["rate"],
  scaled: false,
  element: "f32",
  body: ({ x, value }) => `let old = ${x}; ${x} = old + rate * (${value} - old);`,
});
