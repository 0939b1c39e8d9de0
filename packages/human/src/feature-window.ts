import type { FrameFeatures } from "@omni/audio";

/**
 * Windows of frame features that move forward over a stream of them. Holds the pieces that the next window may still need, however long the
 * stream.
 */
export class FeatureWindow {
  readonly #stream: AsyncGenerator<FrameFeatures, void, undefined>;
  readonly #frameSize: number;
  #held: FrameFeatures[] = [];

  /** @param frameSize numbers a frame */
  constructor(stream: AsyncGenerator<FrameFeatures, void, undefined>, frameSize: number) {
    this.#stream = stream;
    this.#frameSize = frameSize;
  }

  /**
   * Features of frames `first` to `first + count`; zeros past the stream's end.
   *
   * @param first not before that of the last call
   * @returns [count · frameSize]
   */
  async take(first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const end = first + count;
    this.#held = this.#held.filter((piece) => piece.first + piece.count > first);
    for (let known = this.#end(); known < end; known = this.#end()) {
      const next = await this.#stream.next();
      if (next.done) break;
      this.#held.push(next.value);
    }
    const window = new Float32Array(count * this.#frameSize);
    for (const piece of this.#held) {
      const from = Math.max(first, piece.first);
      const to = Math.min(end, piece.first + piece.count);
      if (to <= from) continue;
      const at = (frame: number): number => (frame - piece.first) * this.#frameSize;
      window.set(piece.data.subarray(at(from), at(to)), (from - first) * this.#frameSize);
    }
    return window;
  }

  /** Stops the stream. */
  async close(): Promise<void> {
    this.#held = [];
    await this.#stream.return();
  }

  #end(): number {
    const last = this.#held.at(-1);
    return last ? last.first + last.count : 0;
  }
}
