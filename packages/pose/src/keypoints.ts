import { coco17, upperBody8 } from "./body.ts";
import type { KeypointSchema } from "./body.ts";
import { bodyAndHands59, cocoWholeBody133, openPose137 } from "./whole-body.ts";

export { coco17, upperBody8 } from "./body.ts";
export type { KeypointSchema } from "./body.ts";
export { bodyAndHands59, cocoWholeBody133, openPose137 } from "./whole-body.ts";

/** Schemas that a file may name instead of spelling them out. */
export const keypointSchemas: readonly KeypointSchema[] = [
  coco17,
  upperBody8,
  bodyAndHands59,
  cocoWholeBody133,
  openPose137,
];

/**
 * Index of each point of one schema in another, by name: `-1` where it has none.
 *
 * @returns one index of `source` for each point of `target`
 */
export function keypointIndices(source: KeypointSchema, target: KeypointSchema): number[] {
  return target.keypoints.map((name) => source.keypoints.indexOf(name));
}
