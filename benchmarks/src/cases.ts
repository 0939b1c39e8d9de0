import { attention, conv1d, conv3d, grad, layerNorm, linear, realize, rmsNorm, Rng, softmax } from "@omni/core";
import type { Tensor } from "@omni/core";
import { AdamW } from "@omni/core/optim";
import { CausalVae, vaeLoss } from "@omni/vae";

/** One measured piece of work. */
export interface BenchCase {
  readonly name: string;
  /** Floating-point operations of a run; null where bytes tell more. */
  readonly flops: number | null;
  /** Bytes that a run must at least read and write; null where operations tell more. */
  readonly bytes: number | null;
  /** Makes the inputs and gives the work. */
  readonly prepare: () => Promise<() => Promise<void>>;
}

const rng = new Rng(1);

async function inputs(...shapes: readonly (readonly number[])[]): Promise<Tensor[]> {
  const tensors = shapes.map((shape) => rng.normal(shape));
  await realize(tensors);
  return tensors;
}

/** Work that computes one tensor from inputs of the given shapes and drops it. */
const op =
  (shapes: readonly (readonly number[])[], run: (...x: Tensor[]) => Tensor) =>
  async (): Promise<() => Promise<void>> => {
    const given = await inputs(...shapes);
    return async () => {
      const y = run(...given);
      await y.realize();
      y.dispose();
    };
  };

const matmul = (m: number, k: number, n: number): BenchCase => ({
  name: `matmul ${m}×${k}×${n}`,
  flops: 2 * m * k * n,
  bytes: null,
  prepare: op(
    [
      [m, k],
      [k, n],
    ],
    (a, b) => (a && b ? a.matmul(b) : rng.normal([1])),
  ),
});

const one = (shape: readonly number[], run: (x: Tensor) => Tensor) =>
  op([shape], (x) => (x ? run(x) : rng.normal([1])));

const mlpStep = async (): Promise<() => Promise<void>> => {
  const [w1, w2, x, target] = await inputs([2048, 512], [512, 2048], [256, 512], [256, 512]);
  if (!w1 || !w2 || !x || !target) return () => Promise.resolve();
  const params = { w1, w2 };
  const adam = new AdamW(params, { lr: 1e-4 });
  return async () => {
    const loss = linear(linear(x, w1).relu(), w2).sub(target).square().mean();
    const [g1, g2] = grad(loss, [w1, w2]);
    if (g1 && g2) await realize([loss, ...adam.step({ w1: g1, w2: g2 })]);
  };
};

const vaeStep = async (): Promise<() => Promise<void>> => {
  const vae = await new CausalVae().realize();
  const [video] = await inputs([1, 3, 13, 64, 64]);
  const params = vae.parameters();
  const adam = new AdamW(params, { lr: 1e-4 });
  return async () => {
    if (!video) return;
    const { loss } = vaeLoss(vae, video, null);
    const gradients = grad(loss, Object.values(params));
    const named = Object.fromEntries(
      Object.keys(params).flatMap((name, i) => (gradients[i] ? [[name, gradients[i]]] : [])),
    );
    await realize([loss, ...adam.step(named)]);
  };
};

/** The kernels that a diffusion transformer needs, at sizes of the peers' table. */
export const cases: readonly BenchCase[] = [
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(333, 517, 129),
  {
    name: "softmax [4096, 1024]",
    flops: null,
    bytes: 2 * 4 * 4096 * 1024,
    prepare: one([4096, 1024], (x) => softmax(x)),
  },
  {
    name: "layer norm [4096, 512]",
    flops: null,
    bytes: 2 * 4 * 4096 * 512,
    prepare: one([4096, 512], (x) => layerNorm(x)),
  },
  {
    name: "RMS norm [4096, 512]",
    flops: null,
    bytes: 2 * 4 * 4096 * 512,
    prepare: one([4096, 512], (x) => rmsNorm(x)),
  },
  {
    name: "attention B1 H8 N1024 D64",
    flops: 4 * 8 * 1024 * 1024 * 64,
    bytes: null,
    prepare: op(
      [
        [1, 8, 1024, 64],
        [1, 8, 1024, 64],
        [1, 8, 1024, 64],
      ],
      (q, k, v) => (q && k && v ? attention(q, k, v) : rng.normal([1])),
    ),
  },
  {
    name: "conv1d [1, 128, 4096] k3",
    flops: 2 * 4096 * 128 * 128 * 3,
    bytes: null,
    prepare: op(
      [
        [1, 128, 4096],
        [128, 128, 3],
      ],
      (x, w) => (x && w ? conv1d(x, w, null, { padding: 1 }) : rng.normal([1])),
    ),
  },
  {
    name: "conv3d [1, 16, 8, 32, 32] k3",
    flops: 2 * 8 * 32 * 32 * 16 * 16 * 27,
    bytes: null,
    prepare: op(
      [
        [1, 16, 8, 32, 32],
        [16, 16, 3, 3, 3],
      ],
      (x, w) => (x && w ? conv3d(x, w, null, { padding: 1 }) : rng.normal([1])),
    ),
  },
  { name: "add + gelu, 4 M", flops: null, bytes: 2 * 4 * 4_194_304, prepare: one([4_194_304], (x) => x.add(1).gelu()) },
  { name: "sum, 4 M", flops: null, bytes: 4 * 4_194_304, prepare: one([4_194_304], (x) => x.sum()) },
  {
    name: "MLP 512-2048-512, batch 256, AdamW step",
    flops: 3 * 2 * 2 * 256 * 512 * 2048,
    bytes: null,
    prepare: mlpStep,
  },
  { name: "nano autoencoder step, 13 frames of 64×64", flops: null, bytes: null, prepare: vaeStep },
];
