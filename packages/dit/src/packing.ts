import { concat, ShapeError, tensor, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import type { DitInputs, Layout } from "./inputs.ts";

/** A clip of a pack: its inputs and sizes. */
export interface PackedClip {
  readonly inputs: DitInputs;
  readonly layout: Layout;
}

/** From and to, along a row of tokens. */
type Run = readonly [start: number, end: number];

/**
 * Several clips in one row of tokens: the text of all, then the clean frames (reference, motion) of all, then the noised ones of all, so that
 * every stream is one matrix. In attention the clips stand one after the other, and a token sees its own clip alone.
 *
 * @see Dehghani et al. 2023, "Patch n' Pack: NaViT"
 */
export interface Pack {
  /** Where the tokens of each clip stand in the row, clip after clip: its text, its clean and its noised tokens. */
  readonly byClip: readonly Run[];
  /** Where the tokens of the row stand in the order of `byClip`. */
  readonly byRow: readonly Run[];
  /** Clip of each token in the order of `byClip`, and of each noised token; i32. */
  readonly clips: { readonly all: Tensor; readonly noisy: Tensor };
  /** Sounding frame of each video token, of each noised one, and of each audio slot; the reference has one of its own. i32. */
  readonly frames: { readonly all: Tensor; readonly noisy: Tensor; readonly slots: Tensor };
}

/** Tokens of a clip's three parts. */
function counts({ textLength, frames, noisyFrames, tokensPerFrame }: Layout) {
  return { text: textLength, clean: (frames - noisyFrames) * tokensPerFrame, noisy: noisyFrames * tokensPerFrame };
}

const PARTS = ["text", "clean", "noisy"] as const;

const ids = (values: readonly number[]): Tensor => tensor(Int32Array.from(values), { shape: [1, values.length] });
const repeated = (value: number, times: number): number[] => new Array<number>(times).fill(value);

/**
 * Lays clips out in a row.
 *
 * @param slots audio tokens of a latent frame
 * @throws ShapeError when a clip is a batch of its own
 */
export function packOf(layouts: readonly Layout[], slots: number): Pack {
  const batch = layouts.find((layout) => layout.batch !== 1);
  if (batch || layouts.length === 0)
    throw new ShapeError(
      `forwardPacked: clips must be single, at least one, got ${batch ? `a batch of ${batch.batch}` : "none"}`,
    );
  const sizes = layouts.map(counts);
  const row = runs(PARTS.flatMap((part) => sizes.map((size) => size[part])));
  const clipwise = runs(sizes.flatMap((size) => PARTS.map((part) => size[part])));
  const count = layouts.length;
  // part p of clip c is run p · count + c of the row, and run 3 c + p clip by clip
  const byClip = layouts.flatMap((_, c) => PARTS.map((_part, p): Run => row[p * count + c] ?? [0, 0]));
  const byRow = PARTS.flatMap((_part, p) => layouts.map((_, c): Run => clipwise[3 * c + p] ?? [0, 0]));
  const filled = (list: readonly Run[]): Run[] => list.filter(([start, end]) => end > start);

  let first = 0;
  const frames = layouts.map(({ referenceFrames, motionFrames, noisyFrames, tokensPerFrame }) => {
    const of = (from: number, n: number): number[] =>
      Array.from({ length: n }, (_, i) => repeated(from + i, tokensPerFrame)).flat();
    const start = first;
    first += motionFrames + noisyFrames;
    return {
      // −1 is no frame's: the reference hears nothing
      clean: [...repeated(-1, referenceFrames * tokensPerFrame), ...of(start, motionFrames)],
      noisy: of(start + motionFrames, noisyFrames),
    };
  });
  const noisy = frames.flatMap((clip) => clip.noisy);
  return {
    byClip: filled(byClip),
    byRow: filled(byRow),
    clips: {
      all: ids(sizes.flatMap(({ text, clean, noisy: n }, c) => repeated(c, text + clean + n))),
      noisy: ids(sizes.flatMap(({ noisy: n }, c) => repeated(c, n))),
    },
    frames: {
      all: ids([...frames.flatMap((clip) => clip.clean), ...noisy]),
      noisy: ids(noisy),
      slots: ids(Array.from({ length: first }, (_, frame) => repeated(frame, slots)).flat()),
    },
  };
}

/** Stretches of these lengths, one after the other. */
function runs(lengths: readonly number[]): Run[] {
  let end = 0;
  return lengths.map((length): Run => [end, (end += length)]);
}

/** Tokens [B, M, …] rearranged by stretches. */
export const rearranged = (x: Tensor, order: readonly Run[]): Tensor =>
  order.length === 1
    ? x
    : concat(
        order.map(([start, end]) => x.slice(1, start, end)),
        { axis: 1 },
      );

/** The parts of all clips one after the other: [1, n, …] each → [1, N, …]. */
export function inRow(parts: readonly Tensor[]): Tensor {
  const filled = parts.filter(({ shape }) => (shape[1] ?? 0) > 0);
  const [only] = filled.length > 0 ? filled : parts;
  return only && filled.length <= 1 ? only : concat(filled, { axis: 1 });
}

/**
 * Splits something of each frame [1, frames, P or 1, …] into rows of the clean and of the noised tokens, [1, n, …].
 *
 * @param trailing axes that stay behind the tokens
 */
export function tokenRows(
  x: Tensor,
  { frames, noisyFrames, tokensPerFrame }: Layout,
  trailing: readonly number[],
): { readonly clean: Tensor; readonly noisy: Tensor } {
  const whole = x.expand([1, frames, tokensPerFrame, ...trailing]);
  const clean = frames - noisyFrames;
  const row = (part: Tensor, n: number): Tensor => part.reshape([1, n * tokensPerFrame, ...trailing]);
  return {
    clean: clean === 0 ? zeros([1, 0, ...trailing]) : row(whole.slice(1, 0, clean), clean),
    noisy: row(whole.slice(1, clean, frames), noisyFrames),
  };
}
