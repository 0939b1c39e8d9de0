import { ShapeError } from "../base/errors.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { expectDType } from "../tensor/build.ts";
import { tensor, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { indexSelect } from "./indexing.ts";
import { padWith } from "./movement.ts";

/** Complex numbers as two real tensors of one shape. */
export interface Complex {
  /** Real parts, f32. */
  readonly re: Tensor;
  /** Imaginary parts, f32, shaped as the real ones. */
  readonly im: Tensor;
}

/** Transforms up to this length are one product with the matrix of roots of unity; longer ones are split. */
const DIRECT = 64;

/** cos and sin of 2π·row·column/n, made in f64 with the angle reduced first: WGSL's own are good to 2⁻¹¹ only. */
function roots(rows: number, columns: number, n: number): Complex {
  const of = (f: (angle: number) => number): Tensor =>
    tensor(
      Float32Array.from({ length: rows * columns }, (_, i) =>
        f((2 * Math.PI * ((Math.floor(i / columns) * (i % columns)) % n)) / n),
      ),
      { shape: [rows, columns] },
    );
  return { re: of(Math.cos), im: of(Math.sin) };
}

/** The largest factor of n up to DIRECT; 1 for a large prime. */
function factorOf(n: number): number {
  for (let a = Math.min(DIRECT, Math.floor(Math.sqrt(n))); a > 1; a--) if (n % a === 0) return a;
  return 1;
}

/** (a + ib)(c − is) */
const turned = ({ re, im }: Complex, { re: c, im: s }: Complex): Complex => ({
  re: re.mul(c).add(im.mul(s)),
  im: im.mul(c).sub(re.mul(s)),
});

/** The transform of the last axis by products with matrices: n = a·b goes over a, then a twist, then over b. */
function transform({ re, im }: Complex): Complex {
  const n = re.shape.at(-1) ?? 0;
  const a = n > DIRECT ? factorOf(n) : 1;
  if (a === 1) {
    const { re: c, im: s } = roots(n, n, n);
    return { re: re.matmul(c).add(im.matmul(s)), im: im.matmul(c).sub(re.matmul(s)) };
  }
  const b = n / a;
  const outer = re.shape.slice(0, -1);
  // element j·b + k of the axis is [j, k]; the first transform runs over j
  const columns = (x: Tensor): Tensor => x.reshape([...outer, a, b]).transpose();
  const first = transform({ re: columns(re), im: columns(im) });
  const twisted = turned({ re: first.re.transpose(), im: first.im.transpose() }, roots(a, b, n));
  const second = transform(twisted);
  const joined = (x: Tensor): Tensor => x.transpose().reshape([...outer, n]);
  return { re: joined(second.re), im: joined(second.im) };
}

function checked(op: string, { re, im }: Complex): void {
  expectDType(op, re.dtype, ["f32"]);
  expectDType(op, im.dtype, ["f32"]);
  if (!sameShape(re.shape, im.shape) || re.ndim < 1 || (re.shape.at(-1) ?? 0) < 1)
    throw new ShapeError(
      `${op}: re and im must share a shape with at least one element in the last axis, got ${formatShape(re.shape)} and ${formatShape(im.shape)}`,
    );
}

/** Discrete Fourier transform of the last axis: X_k = Σ_j x_j e^{−2πijk/n}, any n. */
export function fft(x: Complex): Complex {
  checked("fft", x);
  return transform(x);
}

/** The inverse of `fft`: x_j = 1/n Σ_k X_k e^{2πijk/n}. */
export function ifft(x: Complex): Complex {
  checked("ifft", x);
  // conj(fft(conj x)) / n
  const { re, im } = transform({ re: x.re, im: x.im.neg() });
  const n = x.re.shape.at(-1) ?? 1;
  return { re: re.mul(1 / n), im: im.mul(-1 / n) };
}

/** The transform of real numbers: the first ⌊n/2⌋ + 1 of its numbers, whose mirror images the others are. */
export function rfft(x: Tensor): Complex {
  const { re, im } = fft({ re: x, im: zeros(x.shape) });
  const kept = Math.floor((x.shape.at(-1) ?? 0) / 2) + 1;
  return { re: re.slice(-1, 0, kept), im: im.slice(-1, 0, kept) };
}

/** How `stft` cuts a signal into frames. */
export interface StftOptions {
  /** Samples between two frames; a quarter of the frame by default. */
  readonly hop?: number;
  /** [size] weights of a frame's samples; ones by default. */
  readonly window?: Tensor | null;
  /** Frames are centred on their samples, with the ends mirrored (true by default). */
  readonly center?: boolean;
}

/**
 * Short-time Fourier transform: `rfft` of overlapping frames.
 *
 * @param x [..., samples]
 * @param size samples a frame
 * @returns [..., ⌊size/2⌋ + 1, frames]
 * @throws ShapeError when there is no whole frame
 * @see torch.stft
 */
export function stft(
  x: Tensor,
  size: number,
  { hop = Math.floor(size / 4), window = null, center = true }: StftOptions = {},
): Complex {
  const half = center ? Math.floor(size / 2) : 0;
  const pads = x.shape.map((_, a): [number, number] => (a === x.ndim - 1 ? [half, half] : [0, 0]));
  const padded = center ? padWith(x, pads, { mode: "reflect" }) : x;
  const frames = Math.floor(((padded.shape.at(-1) ?? 0) - size) / hop) + 1;
  if (!(frames >= 1) || hop < 1)
    throw new ShapeError(
      `stft: x must hold a frame of ${size} samples and hop be at least 1, got ${formatShape(x.shape)} and ${hop}`,
    );
  const cut = framed(padded, size, hop, frames);
  const { re, im } = rfft(window ? cut.mul(window) : cut);
  return { re: re.transpose(), im: im.transpose() };
}

/** [..., frames, size] */
function framed(x: Tensor, size: number, hop: number, frames: number): Tensor {
  const ids = Int32Array.from({ length: frames * size }, (_, i) => Math.floor(i / size) * hop + (i % size));
  return indexSelect(x, -1, tensor(ids)).reshape([...x.shape.slice(0, -1), frames, size]);
}

/** 0.5 − 0.5·cos(2πj/n), the window that spectrograms use. */
export const hannWindow = (n: number): Tensor =>
  tensor(Float32Array.from({ length: n }, (_, j) => 0.5 - 0.5 * Math.cos((2 * Math.PI * j) / n)));
