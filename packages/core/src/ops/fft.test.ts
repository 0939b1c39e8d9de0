import { describe, expect, test } from "vitest";
import { grad } from "../autograd/grad.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { realize, type Tensor } from "../tensor/tensor.ts";
import { expectClose, type Tolerance } from "../testing/allclose.ts";
import { build, sample, sum, type Nd } from "../testing/nd.ts";
import { type Complex, fft, hannWindow, ifft, rfft, stft } from "./fft.ts";

// two or three products of at most 128 terms, roots of unity to half a unit of f32
const FFT: Tolerance = { absolute: 2e-5, relative: 1e-5 };

const leaf = ({ shape, data }: Nd): Tensor => tensor(Float32Array.from(data), { shape });

/** Σ_j x_j e^{−2πijk/n} along the last axis, by the definition. */
function definition(re: Nd, im: Nd): { re: Nd; im: Nd } {
  const n = re.shape.at(-1) ?? 0;
  const part = (f: (a: number, b: number, angle: number) => number): Nd =>
    build(re.shape, (index) => {
      const k = index.at(-1) ?? 0;
      const row = index.slice(0, -1).reduce((r, i, a) => r * (re.shape[a] ?? 1) + i, 0) * n;
      return sum(n, (j) => f(re.data[row + j] ?? NaN, im.data[row + j] ?? NaN, (2 * Math.PI * ((j * k) % n)) / n));
    });
  return {
    re: part((a, b, t) => a * Math.cos(t) + b * Math.sin(t)),
    im: part((a, b, t) => b * Math.cos(t) - a * Math.sin(t)),
  };
}

const both = async ({ re, im }: Complex, expected: { re: Nd; im: Nd }): Promise<void> => {
  await realize([re, im]);
  await expectClose(re, expected.re, FFT, "re");
  await expectClose(im, expected.im, FFT, "im");
};

describe("fft", () => {
  // one element, one product, an odd prime, one split, two splits, a prime above the direct length
  test.each([1, 8, 13, 96, 480, 67])("of %i numbers equals its definition", async (n) => {
    const [re, im] = [sample([2, n], 1), sample([2, n], 2)];
    await both(fft({ re: leaf(re), im: leaf(im) }), definition(re, im));
  });

  test("is undone by ifft", async () => {
    const [re, im] = [sample([3, 100], 1), sample([3, 100], 2)];
    const back = ifft(fft({ re: leaf(re), im: leaf(im) }));
    await both(back, { re, im });
  });

  test("keeps the energy, which its gradient shows: d Σ|X|² / dx = 2n·x (Parseval)", async () => {
    const re = sample([2, 90], 3);
    const x = leaf(re);
    const y = fft({ re: x, im: zeros([2, 90]) });
    const [dx] = grad(y.re.square().add(y.im.square()).sum(), [x]);
    if (!dx) throw new Error("a gradient for each tensor");
    await expectClose(
      dx,
      build([2, 90], ([i = 0, j = 0]) => 180 * (re.data[i * 90 + j] ?? NaN)),
      {
        absolute: 1e-3,
        relative: 1e-4,
      },
    );
  });

  test.each([9, 10])("rfft of %i numbers gives the half that is not mirrored", async (n) => {
    const x = sample([n], 4);
    const whole = definition(
      x,
      build([n], () => 0),
    );
    const kept = Math.floor(n / 2) + 1;
    const cut = (part: Nd): Nd => ({ shape: [kept], data: part.data.slice(0, kept) });
    await both(rfft(leaf(x)), { re: cut(whole.re), im: cut(whole.im) });
  });

  test("refuses parts of different shapes", () => {
    expect(() => fft({ re: zeros([4]), im: zeros([5]) })).toThrow("fft: re and im must share a shape");
  });
});

describe("stft", () => {
  test("transforms each frame, centred on its samples with the ends mirrored", async () => {
    const [size, hop] = [16, 4];
    const x = sample([2, 50], 5);
    const window = hannWindow(size);
    const weights = await window.data();
    // 50 samples and 8 mirrored at each end: ⌊(66 − 16) / 4⌋ + 1 frames
    const frames = 13;
    const at = (row: number, i: number): number => x.data[row * 50 + (i < 0 ? -i : i > 49 ? 98 - i : i)] ?? NaN;
    const cut = build([2, frames, size], ([b = 0, f = 0, j = 0]) => at(b, f * hop - 8 + j) * (weights[j] ?? NaN));
    const whole = definition(
      cut,
      build(cut.shape, () => 0),
    );
    const turnedOver = (part: Nd): Nd =>
      build([2, 9, frames], ([b = 0, k = 0, f = 0]) => part.data[(b * frames + f) * size + k] ?? NaN);
    await both(stft(leaf(x), size, { hop, window }), { re: turnedOver(whole.re), im: turnedOver(whole.im) });
  });

  test("refuses sound that is shorter than a frame", () => {
    expect(() => stft(zeros([10]), 16, { center: false })).toThrow("stft: x must hold a frame of 16 samples");
  });
});
