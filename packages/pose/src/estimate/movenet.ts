import { tensor } from "@omni/core";
import type { ByteInput } from "@omni/core/checkpoint";
import type { Image } from "../image.ts";
import { GraphModel } from "../tfjs/graph-model.ts";
import { onlyInput, onlyOutput } from "./graph-ends.ts";
import { cropSquare, fromSquare } from "./square.ts";
import type { Point, Square } from "./square.ts";

/** A point with how sure the network is of it, 0 to 1. */
export interface Found extends Point {
  readonly score: number;
}

/** Side of the picture that MoveNet Thunder sees, pixels. */
const SIDE = 256;

/**
 * MoveNet Thunder: the 17 points of COCO of the person nearest to the middle.
 *
 * @see https://www.tensorflow.org/hub/tutorials/movenet
 */
export class MoveNet {
  readonly #graph: GraphModel;

  constructor(graph: GraphModel) {
    this.#graph = graph;
  }

  /** @throws CheckpointError when there is no such graph */
  static load = async (source: ByteInput): Promise<MoveNet> => new MoveNet(await GraphModel.load(source));

  /** The points of the person in a square, in pixels of the picture. */
  async find(image: Image, square: Square): Promise<Found[]> {
    const pixels = Int32Array.from(cropSquare(image, square, SIDE), Math.round);
    const input = tensor(pixels, { shape: [1, SIDE, SIDE, 3] });
    const result = onlyOutput(this.#graph, this.#graph.run({ [onlyInput(this.#graph)]: input }));
    const values = await result.data();
    for (const done of [input, result]) done.dispose();
    return Array.from({ length: values.length / 3 }, (_, k) => {
      const [v = 0, u = 0, score = 0] = values.subarray(3 * k, 3 * k + 3);
      return { ...fromSquare(square, u, v), score };
    });
  }
}

/** Below it a point does not steer the crop of the next frame. */
const MIN_SCORE = 0.2;
const [SHOULDERS, HIPS] = [
  [5, 6],
  [11, 12],
] as const;

/**
 * The square to search next: around the hips, wide enough for torso and limbs; null where the torso is not seen and the whole picture is to be searched.
 *
 * @param body COCO's 17 points
 * @see `determineCropRegion` of TensorFlow's MoveNet tutorial
 */
export function bodySquare(body: readonly Found[], image: Pick<Image, "width" | "height">): Square | null {
  const seen = (k: number): boolean => (body[k]?.score ?? 0) > MIN_SCORE;
  const [left, right] = [body[HIPS[0]], body[HIPS[1]]];
  if (!SHOULDERS.some(seen) || !HIPS.some(seen) || !left || !right) return null;
  const [x, y] = [(left.x + right.x) / 2, (left.y + right.y) / 2];
  const reach = (k: number): number => {
    const point = body[k];
    return point === undefined ? 0 : Math.max(Math.abs(point.x - x), Math.abs(point.y - y));
  };
  const torso = Math.max(...[...SHOULDERS, ...HIPS].map(reach));
  const limbs = Math.max(...body.map((_, k) => (seen(k) ? reach(k) : 0)));
  const half = Math.min(Math.max(1.9 * torso, 1.2 * limbs), Math.max(x, image.width - x, y, image.height - y));
  if (half > Math.max(image.width, image.height) / 2) return null;
  return { x, y, size: 2 * half, angle: 0 };
}
