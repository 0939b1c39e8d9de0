import type { KindName, SpecOf } from "./kinds.ts";

/** A row of the comparison. */
export type BenchOp = {
  [K in KindName]: {
    /** What `--ops` and the records call it. */
    readonly id: string;
    readonly title: string;
    readonly kind: K;
    readonly spec: SpecOf<K>;
    /** A size that runs in no time, for trying the harness out. */
    readonly tiny: SpecOf<K>;
    /** GPUs finish the other sizes before their launch costs show; software adapters never finish these. */
    readonly on: "every adapter" | "gpu";
  };
}[KindName];

const M = 2 ** 20;

const common = { on: "every adapter" } as const;
const gpu = { on: "gpu" } as const;

/** All rows, in the order of the report. */
export const catalog: readonly BenchOp[] = [
  {
    id: "matmul-512",
    title: "matmul 512³",
    kind: "matmul",
    spec: { batch: 1, m: 512, k: 512, n: 512 },
    tiny: { batch: 1, m: 64, k: 64, n: 64 },
    ...common,
  },
  {
    id: "matmul-1024",
    title: "matmul 1024³",
    kind: "matmul",
    spec: { batch: 1, m: 1024, k: 1024, n: 1024 },
    tiny: { batch: 1, m: 128, k: 128, n: 128 },
    ...common,
  },
  {
    id: "matmul-4096",
    title: "matmul 4096³",
    kind: "matmul",
    spec: { batch: 1, m: 4096, k: 4096, n: 4096 },
    tiny: { batch: 1, m: 256, k: 256, n: 256 },
    ...gpu,
  },
  {
    id: "matmul-odd",
    title: "matmul 333×517×129",
    kind: "matmul",
    spec: { batch: 1, m: 333, k: 517, n: 129 },
    tiny: { batch: 1, m: 33, k: 17, n: 29 },
    ...common,
  },
  {
    id: "matmul-batched",
    title: "batched 8×[256,64]·[64,256]",
    kind: "matmul",
    spec: { batch: 8, m: 256, k: 64, n: 256 },
    tiny: { batch: 2, m: 16, k: 8, n: 16 },
    ...common,
  },
  {
    id: "softmax",
    title: "softmax [4096,1024]",
    kind: "softmax",
    spec: { rows: 4096, columns: 1024 },
    tiny: { rows: 16, columns: 64 },
    ...common,
  },
  {
    id: "softmax-large",
    title: "softmax [16384,4096]",
    kind: "softmax",
    spec: { rows: 16_384, columns: 4096 },
    tiny: { rows: 16, columns: 64 },
    ...gpu,
  },
  {
    id: "layer-norm",
    title: "layer norm [4096,512]",
    kind: "layerNorm",
    spec: { rows: 4096, columns: 512 },
    tiny: { rows: 16, columns: 64 },
    ...common,
  },
  {
    id: "rms-norm",
    title: "RMS norm [4096,512]",
    kind: "rmsNorm",
    spec: { rows: 4096, columns: 512 },
    tiny: { rows: 16, columns: 64 },
    ...common,
  },
  {
    id: "group-norm",
    title: "group norm [1,128,96,96] g32",
    kind: "groupNorm",
    spec: { batch: 1, channels: 128, height: 96, width: 96, groups: 32 },
    tiny: { batch: 1, channels: 8, height: 4, width: 4, groups: 2 },
    ...common,
  },
  {
    id: "attention",
    title: "attention B1 H8 N1024 D64",
    kind: "attention",
    spec: { heads: 8, tokens: 1024, headDim: 64 },
    tiny: { heads: 2, tokens: 32, headDim: 16 },
    ...common,
  },
  {
    id: "attention-large",
    title: "attention B1 H16 N8192 D64",
    kind: "attention",
    spec: { heads: 16, tokens: 8192, headDim: 64 },
    tiny: { heads: 2, tokens: 32, headDim: 16 },
    ...gpu,
  },
  {
    id: "attention-backward",
    title: "attention with gradients, B1 H8 N1024 D64",
    kind: "attentionBackward",
    spec: { heads: 8, tokens: 1024, headDim: 64 },
    tiny: { heads: 2, tokens: 32, headDim: 16 },
    ...common,
  },
  {
    id: "conv1d",
    title: "conv1d [128,4096] k3",
    kind: "convolution",
    spec: { channels: 128, out: 128, size: [4096], kernel: 3, causal: false },
    tiny: { channels: 4, out: 4, size: [32], kernel: 3, causal: false },
    ...common,
  },
  {
    id: "conv2d",
    title: "conv2d [64,64,64] k3→64",
    kind: "convolution",
    spec: { channels: 64, out: 64, size: [64, 64], kernel: 3, causal: false },
    tiny: { channels: 4, out: 4, size: [8, 8], kernel: 3, causal: false },
    ...common,
  },
  {
    id: "conv3d",
    title: "conv3d [16,8,32,32] k3",
    kind: "convolution",
    spec: { channels: 16, out: 16, size: [8, 32, 32], kernel: 3, causal: false },
    tiny: { channels: 4, out: 4, size: [4, 4, 4], kernel: 3, causal: false },
    ...common,
  },
  {
    id: "conv3d-causal",
    title: "causal conv3d [32,7,32,32] k3",
    kind: "convolution",
    spec: { channels: 32, out: 32, size: [7, 32, 32], kernel: 3, causal: true },
    tiny: { channels: 4, out: 4, size: [3, 4, 4], kernel: 3, causal: true },
    ...common,
  },
  {
    id: "conv3d-large",
    title: "conv3d [128,9,64,64] k3",
    kind: "convolution",
    spec: { channels: 128, out: 128, size: [9, 64, 64], kernel: 3, causal: false },
    tiny: { channels: 4, out: 4, size: [4, 4, 4], kernel: 3, causal: false },
    ...gpu,
  },
  {
    id: "add-gelu",
    title: "add + GELU, 4 M",
    kind: "addGelu",
    spec: { length: 4 * M },
    tiny: { length: 1000 },
    ...common,
  },
  {
    id: "add-gelu-large",
    title: "add + GELU, 64 M",
    kind: "addGelu",
    spec: { length: 64 * M },
    tiny: { length: 1000 },
    ...gpu,
  },
  { id: "sum", title: "sum, 4 M", kind: "sum", spec: { length: 4 * M }, tiny: { length: 1000 }, ...common },
  {
    id: "adamw",
    title: "AdamW, 32 tensors, 4 M in all",
    kind: "adam",
    spec: { tensors: 32, each: M / 8 },
    tiny: { tensors: 3, each: 100 },
    ...common,
  },
  {
    id: "adamw-large",
    title: "AdamW, 64 tensors, 64 M in all",
    kind: "adam",
    spec: { tensors: 64, each: M },
    tiny: { tensors: 3, each: 100 },
    ...gpu,
  },
  {
    id: "mlp-step",
    title: "MLP 512-2048-512 b256, training step",
    kind: "mlpStep",
    spec: { width: 512, hidden: 2048, batch: 256 },
    tiny: { width: 16, hidden: 32, batch: 8 },
    ...common,
  },
  {
    id: "safetensors",
    title: "load safetensors, 32 tensors, 16 MiB",
    kind: "loadSafetensors",
    spec: { tensors: 32, each: M / 8 },
    tiny: { tensors: 3, each: 100 },
    ...common,
  },
  {
    id: "dit-step",
    title: "nano denoiser, training step, 2 clips of 25 frames 64×64",
    kind: "ditStep",
    spec: { batch: 2, frames: 7, side: 8, textLength: 32 },
    tiny: { batch: 1, frames: 1, side: 4, textLength: 4 },
    ...common,
  },
  {
    id: "sampling-step",
    title: "nano denoiser, sampling step with guidance, 25 frames 64×64",
    kind: "samplingStep",
    spec: { batch: 1, frames: 7, side: 8, textLength: 32 },
    tiny: { batch: 1, frames: 1, side: 4, textLength: 4 },
    ...common,
  },
  {
    id: "vae-decode",
    title: "nano autoencoder, decode 25 frames 64×64",
    kind: "vaeDecode",
    spec: { frames: 25, side: 64 },
    tiny: { frames: 1, side: 16 },
    ...common,
  },
  {
    id: "recording",
    title: "recording 1,000 operations, JavaScript alone",
    kind: "recording",
    spec: { chains: 125, length: 8 },
    tiny: { chains: 2, length: 8 },
    ...common,
  },
];
