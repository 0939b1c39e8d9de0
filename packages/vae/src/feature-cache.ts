import { concat, realize, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";

/**
 * What the layers of a causal network remember of the frames before the current chunk: the frames that their next
 * convolution still reaches. Memory does not grow with the number of chunks.
 */
export class FeatureCache {
  #kept = new Map<object, Tensor>();
  #next = new Map<object, Tensor>();
  #first = true;

  /** Whether this is the first chunk, whose first frame stands for itself. */
  get first(): boolean {
    return this.#first;
  }

  /**
   * Puts the `reach` frames before this chunk in front of it (zeros before the first frame) and remembers its last ones.
   *
   * @param layer whose memory it is
   * @param x [B, C, T, H, W]
   * @returns [B, C, reach + T, H, W]
   */
  extend(layer: object, x: Tensor, reach: number): Tensor {
    const [batch = 1, channels = 1, , height = 1, width = 1] = x.shape;
    const before = this.#kept.get(layer) ?? zeros([batch, channels, reach, height, width]);
    const extended = concat([before, x], { axis: 2 });
    this.#next.set(layer, extended.slice(2, -reach));
    return extended;
  }

  /** Runs one chunk to its end: realises its output with the new memory, which the last one does not need, and gives the old one's back. */
  async settle(output: Tensor, last: boolean): Promise<void> {
    if (last) this.#next.clear();
    await realize([output, ...this.next]);
    if (last) return this.dispose();
    for (const layer of this.#next.keys()) this.#kept.get(layer)?.dispose();
    this.advance();
  }

  /** What this chunk leaves to the next: roots of its graph beside its output. */
  get next(): readonly Tensor[] {
    return [...this.#next.values()];
  }

  /**
   * Ends a chunk without running it: the next one's graph goes on from this one's, or from what stands for it.
   *
   * @param standIn for features of this chunk, in the same shape
   */
  advance(standIn: (frames: Tensor) => Tensor = (frames) => frames): void {
    for (const [layer, frames] of this.#next) this.#kept.set(layer, standIn(frames));
    this.#next.clear();
    this.#first = false;
  }

  dispose(): void {
    for (const frames of this.#kept.values()) frames.dispose();
    this.#kept.clear();
  }
}
