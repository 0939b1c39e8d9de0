import { realize, tensor } from "@omni/core";
import { CheckpointError } from "@omni/core/checkpoint";
import type { ByteInput } from "@omni/core/checkpoint";
import type { Image } from "../image.ts";
import { GraphModel } from "../tfjs/graph-model.ts";
import { onlyInput } from "./graph-ends.ts";
import type { Found } from "./movenet.ts";
import { cropSquare, fromSquare } from "./square.ts";
import type { Point, Square } from "./square.ts";

/** What the network sees in a square. */
export interface Hand {
  /** Probability that there is a hand, 0 to 1. */
  readonly presence: number;
  /** Wrist, then thumb, index, middle, ring and little finger from root to tip; pixels of the picture. */
  readonly points: readonly Point[];
}

/** Side of the picture that the network sees, pixels. */
const SIDE = 224;
/** Results of the graph: points in pixels of the crop, and presence. */
const [POINTS, PRESENCE] = ["Identity", "Identity_1"];

/**
 * MediaPipe's full hand landmarks: 21 points of the hand that fills about half of an upright square, fingers up.
 *
 * @see Zhang et al. 2020, "MediaPipe Hands: On-device Real-time Hand Tracking"
 */
export class HandLandmarks {
  readonly #graph: GraphModel;

  constructor(graph: GraphModel) {
    this.#graph = graph;
  }

  /** @throws CheckpointError when there is no such graph */
  static load = async (source: ByteInput): Promise<HandLandmarks> => new HandLandmarks(await GraphModel.load(source));

  /** A hand for each square, computed at once. */
  async find(image: Image, squares: readonly Square[]): Promise<Hand[]> {
    if (squares.length === 0) return [];
    const pixels = new Float32Array(squares.length * SIDE * SIDE * 3);
    for (const [i, square] of squares.entries())
      pixels.set(
        cropSquare(image, square, SIDE).map((value) => value / 255),
        i * SIDE * SIDE * 3,
      );
    const input = tensor(pixels, { shape: [squares.length, SIDE, SIDE, 3] });
    const { [POINTS]: at, [PRESENCE]: is } = this.#graph.run({ [onlyInput(this.#graph)]: input });
    if (at === undefined || is === undefined)
      throw new CheckpointError(
        `HandLandmarks: the graph must give ${POINTS} and ${PRESENCE}, got ${this.#graph.outputs.join(", ")}; give handlandmark-full`,
      );
    await realize([at, is]);
    const [values, presence] = [await at.data(), await is.data()];
    for (const done of [input, at, is]) done.dispose();
    return squares.map((square, i) => ({
      presence: presence[i] ?? 0,
      points: Array.from({ length: 21 }, (_, k) => {
        const [x = 0, y = 0] = values.subarray(63 * i + 3 * k);
        return fromSquare(square, x / SIDE, y / SIDE);
      }),
    }));
  }
}

/** Below it an arm's point says nothing about its hand. */
const MIN_SCORE = 0.2;

/** Side of the square over the length of a forearm: a hand then fills half of it. */
const SQUARE_PER_FOREARM = 1.5;
/** From the wrist to the middle of the hand, over the forearm. */
const HAND_PER_FOREARM = 0.35;
/** Lengths of other parts for that of a forearm, of grown-ups: they stand in where it points at the viewer. */
const FOREARM_PER_UPPER_ARM = 0.9;
const FOREARM_PER_SHOULDERS = 0.6;

/**
 * Where the hand of an arm is to be looked for: beyond the wrist, in the direction of the forearm.
 *
 * @param body COCO's 17 points
 * @returns null where the wrist is not seen
 * @see OpenPose's `handDetectorFromPose`
 */
export function wristSquare(body: readonly Found[], side: "left" | "right"): Square | null {
  const odd = side === "left" ? 0 : 1;
  const seen = (k: number): Found | null => ((body[k]?.score ?? 0) > MIN_SCORE ? (body[k] ?? null) : null);
  const [shoulder, other, elbow, wrist] = [seen(5 + odd), seen(6 - odd), seen(7 + odd), seen(9 + odd)];
  if (wrist === null) return null;
  const length = (a: Point | null, b: Point | null): number => (a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0);
  const forearm = Math.max(
    length(elbow, wrist),
    FOREARM_PER_UPPER_ARM * length(shoulder, elbow),
    FOREARM_PER_SHOULDERS * length(shoulder, other),
  );
  if (forearm === 0) return null;
  const from = elbow ?? wrist;
  const [right, down] = [wrist.x - from.x, wrist.y - from.y];
  return {
    x: wrist.x + HAND_PER_FOREARM * right,
    y: wrist.y + HAND_PER_FOREARM * down,
    size: SQUARE_PER_FOREARM * forearm,
    // an arm that points up leaves the square upright
    angle: elbow === null ? 0 : Math.atan2(right, -down),
  };
}

/**
 * The square around a hand that has been found, fingers up: what MediaPipe tracks from frame to frame.
 *
 * @param points the 21 points
 */
export function handSquare(points: readonly Point[]): Square {
  const at = (k: number): Point => points[k] ?? { x: 0, y: 0 };
  const [wrist, middle] = [at(0), at(9)];
  const angle = Math.atan2(middle.x - wrist.x, -(middle.y - wrist.y));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const across = points.map(({ x, y }) => cos * x + sin * y);
  const along = points.map(({ x, y }) => cos * y - sin * x);
  const [left, right] = [Math.min(...across), Math.max(...across)];
  const [top, bottom] = [Math.min(...along), Math.max(...along)];
  const [u, v] = [(left + right) / 2, (top + bottom) / 2 - 0.1 * (bottom - top)];
  return { x: cos * u - sin * v, y: sin * u + cos * v, size: 2 * Math.max(right - left, bottom - top), angle };
}
