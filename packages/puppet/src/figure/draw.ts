import type { Identity } from "../identity.ts";
import { Canvas } from "../raster/canvas.ts";
import { drawArm } from "./arms.ts";
import { drawBackdrop } from "./backdrop.ts";
import { drawBody } from "./body.ts";
import { makeBrush } from "./brush.ts";
import type { Brush } from "./brush.ts";
import { drawBehindHead, drawHead } from "./head.ts";
import { buildSkeleton } from "./skeleton.ts";
import type { Skeleton } from "./skeleton.ts";
import type { FigureState } from "./state.ts";
import type { View } from "./view.ts";

/** Draws one person before one backdrop; the backdrop is painted once. */
export class FigureRenderer {
  readonly identity: Identity;
  readonly view: View;
  readonly #canvas: Canvas;
  readonly #brush: Brush;
  readonly #backdrop: Float32Array;

  constructor(identity: Identity, view: View) {
    this.identity = identity;
    this.view = view;
    this.#canvas = new Canvas(view.width, view.height);
    this.#brush = makeBrush(this.#canvas, view);
    drawBackdrop(this.#canvas, identity, view);
    this.#backdrop = this.#canvas.pixels.slice();
  }

  /**
   * Draw one moment.
   *
   * @param rgb receives [height, width, 3] bytes
   * @param labels receives [height, width] part labels (see `partNames`)
   * @returns where everything was drawn
   */
  draw(state: FigureState, rgb: Uint8Array | Uint8ClampedArray, labels?: Uint8Array): Skeleton {
    const canvas = this.#canvas;
    canvas.pixels.set(this.#backdrop);
    canvas.labels.fill(0);
    const skeleton = buildSkeleton(this.identity, state, this.view);
    drawBehindHead(this.#brush, skeleton);
    drawBody(this.#brush, skeleton);
    drawHead(this.#brush, skeleton);
    drawArm(this.#brush, skeleton, skeleton.right);
    drawArm(this.#brush, skeleton, skeleton.left);
    const { pixels } = canvas;
    for (let i = 0; i < pixels.length; i++) rgb[i] = (pixels[i] ?? 0) + 0.5;
    labels?.set(canvas.labels);
    return skeleton;
  }
}
