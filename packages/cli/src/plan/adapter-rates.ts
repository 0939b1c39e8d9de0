import { attention, conv3d, getDevice, realize, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";

/** Additions and multiplications a second, measured just now. */
export interface AdapterRates {
  readonly matmul: number;
  readonly conv: number;
  readonly attention: number;
}

const RUNS = 3;

/** Times a product, a convolution and an attention of a size that fills the adapter; a second or two, and compiling. */
export async function measureRates(signal: AbortSignal): Promise<AdapterRates> {
  const { traits } = await getDevice();
  const rng = new Rng(1);
  const n = traits.software ? 512 : 2048;
  const [a, b] = [rng.normal([n, n]), rng.normal([n, n])];
  const channels = traits.software ? 32 : 128;
  const [frames, edge] = [4, 48];
  const video = rng.normal([1, channels, frames, edge, edge]);
  const kernel = rng.normal([channels, channels, 3, 3, 3]);
  const tokens = traits.software ? 512 : 4096;
  const q = rng.normal([1, 8, tokens, 64]);
  await realize([a, b, video, kernel, q]);
  const rate = async (flops: number, run: () => Tensor): Promise<number> => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i <= RUNS; i++) {
      signal.throwIfAborted();
      const started = performance.now();
      const result = await run().realize();
      await (await getDevice()).finished();
      // the first run compiles
      if (i > 0) best = Math.min(best, (performance.now() - started) / 1000);
      result.dispose();
    }
    return flops / best;
  };
  const rates = {
    matmul: await rate(2 * n ** 3, () => a.matmul(b)),
    conv: await rate(2 * frames * edge * edge * channels * channels * 27, () =>
      conv3d(video, kernel, null, { padding: 1 }),
    ),
    attention: await rate(4 * 8 * tokens * tokens * 64, () => attention(q, q, q)),
  };
  for (const t of [a, b, video, kernel, q]) t.dispose();
  return rates;
}
