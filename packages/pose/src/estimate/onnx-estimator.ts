import type { ByteInput } from "@omni/core/checkpoint";
import { openSource } from "@omni/core/checkpoint";
import type { Image } from "../image.ts";
import { coco17, cocoWholeBody133 } from "../keypoints.ts";
import type { KeypointSchema } from "../keypoints.ts";
import type { PoseEstimator } from "./estimator.ts";
import type { Found, MoveNet } from "./movenet.ts";
import { decodeSimcc } from "./simcc.ts";
import { cropSquare, fromSquare, wholeSquare } from "./square.ts";
import type { Square } from "./square.ts";

/** What is used of onnxruntime-web, and of onnxruntime-node alike. */
export interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array): Promise<OnnxSession> };
  readonly Tensor: new (type: "float32", values: Float32Array, dims: readonly number[]) => OnnxTensor;
}
interface OnnxTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}
interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata?: readonly { readonly shape?: readonly (number | string)[] }[];
  run(feeds: Record<string, OnnxTensor>): Promise<Readonly<Record<string, OnnxTensor>>>;
}

/** Thrown where a runtime or a network is not what the estimator needs. */
export class PoseModelError extends Error {
  override readonly name = "PoseModelError";
}

export interface OnnxOptions {
  /** Finds the person; without it they are taken to fill the picture. */
  readonly detector?: MoveNet;
  /** `await import("onnxruntime-web")`; by default it is imported here, which bundlers for pages cannot see. */
  readonly runtime?: OnnxRuntime;
}

/** Means and deviations of ImageNet's pixels, RGB, which RTMPose's networks were trained with. */
const MEAN = [123.675, 116.28, 103.53] as const;
const DEVIATION = [58.395, 57.12, 57.375] as const;
/** Size of the picture for a network that does not say: DWPose's. */
const DWPOSE_SIZE = [384, 288] as const;
/** Room around the points that a detector has found: head and hands reach beyond them. */
const ROOM = 1.5;
const MIN_SCORE = 0.2;

/**
 * DWPose, RTMPose or another network with SimCC's two results, of 17 or 133 points of COCO.
 *
 * @see Jiang et al. 2023, "RTMPose"; Yang et al. 2023, "Effective Whole-body Pose Estimation with Two-stages Distillation"
 */
export class OnnxPoseEstimator implements PoseEstimator {
  readonly schema: KeypointSchema;
  readonly #runtime: OnnxRuntime;
  readonly #session: OnnxSession;
  readonly #size: readonly [height: number, width: number];
  readonly #detector: MoveNet | null;

  private constructor(loaded: Loaded, schema: KeypointSchema, detector: MoveNet | null) {
    this.schema = schema;
    this.#runtime = loaded.runtime;
    this.#session = loaded.session;
    this.#size = loaded.size;
    this.#detector = detector;
  }

  /**
   * @param model a URL, bytes, or in Node a path
   * @throws PoseModelError without onnxruntime-web, or for a network of another kind
   */
  static async load(model: ByteInput, { detector, runtime }: OnnxOptions = {}): Promise<OnnxPoseEstimator> {
    const onnx = runtime ?? (await importRuntime());
    const source = await openSource(model);
    let loaded: Loaded;
    try {
      const session = await onnx.InferenceSession.create(await source.read(0, source.size));
      const [, , height, width] = session.inputMetadata?.[0]?.shape ?? [];
      const known = typeof height === "number" && typeof width === "number" && height > 0 && width > 0;
      loaded = { runtime: onnx, session, size: known ? [height, width] : DWPOSE_SIZE };
    } catch (cause) {
      throw new PoseModelError(
        `${source.name}: the runtime must be able to read it as ONNX, got: ${messageOf(cause)}`,
        { cause },
      );
    } finally {
      await source.close();
    }
    // a black picture tells how many points there are
    const { keypoints } = await infer(loaded, new Float32Array(3 * loaded.size[0] * loaded.size[1]));
    const schema = [coco17, cocoWholeBody133].find(({ keypoints: { length } }) => length === keypoints);
    if (schema === undefined)
      throw new PoseModelError(`${source.name}: the network must find 17 or 133 points of COCO, got ${keypoints}`);
    return new OnnxPoseEstimator(loaded, schema, detector ?? null);
  }

  async estimate(image: Image, previous: Float32Array | null): Promise<Float32Array> {
    const [height, width] = this.#size;
    const square = await this.#personSquare(image, previous);
    const { simcc } = await infer(
      { runtime: this.#runtime, session: this.#session, size: this.#size },
      planes(cropSquare(image, square, Math.max(height, width)), height, width),
    );
    const points = new Float32Array(this.schema.keypoints.length * 3);
    const side = Math.max(height, width);
    for (const [k, { x, y, score }] of simcc.entries()) {
      const at = fromSquare(square, (x + (side - width) / 2) / side, (y + (side - height) / 2) / side);
      points.set([at.x / image.width, at.y / image.height, Math.min(1, Math.max(0, score))], 3 * k);
    }
    return points;
  }

  /** The square whose middle part, of the network's shape, holds the person. */
  async #personSquare(image: Image, previous: Float32Array | null): Promise<Square> {
    const whole = wholeSquare(image);
    const body = previous ? bodyOf(previous, image) : ((await this.#detector?.find(image, whole)) ?? []);
    const seen = body.filter(({ score }) => score > MIN_SCORE);
    const [height, width] = this.#size;
    const shape = Math.max(height, width);
    if (seen.length < 2)
      return { ...whole, size: Math.max((image.width * shape) / width, (image.height * shape) / height) };
    const [xs, ys] = [seen.map(({ x }) => x), seen.map(({ y }) => y)];
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const size = ROOM * Math.max(((right - left) * shape) / width, ((bottom - top) * shape) / height);
    return { x: (left + right) / 2, y: (top + bottom) / 2, size, angle: 0 };
  }
}

interface Loaded {
  readonly runtime: OnnxRuntime;
  readonly session: OnnxSession;
  readonly size: readonly [height: number, width: number];
}

async function infer(
  { runtime, session, size: [height, width] }: Loaded,
  pixels: Float32Array,
): Promise<{ keypoints: number; simcc: Found[] }> {
  const [input = ""] = session.inputNames;
  const results = await session.run({ [input]: new runtime.Tensor("float32", pixels, [1, 3, height, width]) });
  const [x, y] = session.outputNames.map((name) => results[name]);
  const [, keypoints = 0, columns = 0] = x?.dims ?? [];
  const [, , rows = 0] = y?.dims ?? [];
  const fits = keypoints > 0 && columns % width === 0 && rows % height === 0 && columns > 0 && rows > 0;
  if (
    !(x?.data instanceof Float32Array) ||
    !(y?.data instanceof Float32Array) ||
    session.outputNames.length !== 2 ||
    !fits
  )
    throw new PoseModelError(
      `OnnxPoseEstimator: the network must give SimCC's x and y over ${width} and ${height} pixels, got ${session.outputNames
        .map((name) => `${name} [${results[name]?.dims.join(", ") ?? ""}]`)
        .join(" and ")}; give DWPose or RTMPose`,
    );
  return { keypoints, simcc: decodeSimcc(x.data, y.data, { keypoints, width, height }) };
}

/** The middle columns or rows of a square as three normalized planes. */
function planes(square: Float32Array, height: number, width: number): Float32Array {
  const side = Math.max(height, width);
  const [top, left] = [(side - height) / 2, (side - width) / 2].map(Math.floor);
  const out = new Float32Array(3 * height * width);
  for (let c = 0; c < 3; c++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const value = square[3 * ((row + (top ?? 0)) * side + column + (left ?? 0)) + c] ?? 0;
        out[(c * height + row) * width + column] = (value - (MEAN[c] ?? 0)) / (DEVIATION[c] ?? 1);
      }
  return out;
}

/** The first 17 points are the body's in both schemas. */
function bodyOf(points: Float32Array, { width, height }: Image): Found[] {
  return Array.from({ length: coco17.keypoints.length }, (_, k) => {
    const [x = 0, y = 0, score = 0] = points.subarray(3 * k);
    return { x: x * width, y: y * height, score };
  });
}

async function importRuntime(): Promise<OnnxRuntime> {
  // a name that bundlers cannot follow: the runtime is optional
  const name: string = "onnxruntime-web";
  try {
    return (await import(/* @vite-ignore */ name)) as OnnxRuntime;
  } catch (cause) {
    throw new PoseModelError(
      "OnnxPoseEstimator: needs the package onnxruntime-web, which is not installed; run `npm install onnxruntime-web`, in a page give it as `runtime`",
      { cause },
    );
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
