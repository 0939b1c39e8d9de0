import type { ContenderId } from "../contenders/contender.ts";
import type { AdapterKind } from "../record/cell-record.ts";
import type { Rule, Target } from "./target.ts";

const than = (peer: ContenderId | "best peer", atLeast: number): Rule => ({
  kind: "times faster",
  than: peer,
  atLeast,
});
const share = (ceiling: "fma" | "copy", atLeast: number): Rule => ({ kind: "share of", ceiling, atLeast });
const oneDispatch: Rule = { kind: "at most", what: "dispatches", count: 1 };

const lavapipe: readonly AdapterKind[] = ["lavapipe"];
const swiftshader: readonly AdapterKind[] = ["swiftshader"];
const software: readonly AdapterKind[] = ["lavapipe", "swiftshader"];
const gpu: readonly AdapterKind[] = ["gpu"];
const all: readonly AdapterKind[] = [...software, ...gpu];

const squares = ["matmul-512", "matmul-1024"];
const norms = ["layer-norm", "rms-norm", "group-norm"];
const convolutions = ["conv1d", "conv2d", "conv3d", "conv3d-causal"];
const steps = ["mlp-step", "dit-step", "sampling-step"];
const kernels = [
  ...squares,
  "matmul-odd",
  "matmul-batched",
  "softmax",
  ...norms,
  ...convolutions,
  "add-gelu",
  "sum",
  "adamw",
];
const flash = ["attention", "attention-backward"];

/** What @omni/core is to reach, row by row. */
export const targets: readonly Target[] = [
  {
    title: "square products",
    adapters: lavapipe,
    ops: squares,
    rules: [than("tfjs", 4), than("jax", 4), than("ort", 2), share("fma", 0.2)],
  },
  {
    title: "square products",
    adapters: swiftshader,
    ops: squares,
    rules: [than("tfjs", 3), than("ort", 2), than("jax", 1.2)],
  },
  { title: "odd shapes", adapters: lavapipe, ops: ["matmul-odd"], rules: [than("tfjs", 3), than("jax", 1.5)] },
  { title: "batched", adapters: lavapipe, ops: ["matmul-batched"], rules: [than("tfjs", 3), than("jax", 2.5)] },
  {
    title: "odd shapes, batched",
    adapters: swiftshader,
    ops: ["matmul-odd", "matmul-batched"],
    rules: [than("jax", 1.4)],
  },
  {
    title: "softmax",
    adapters: lavapipe,
    ops: ["softmax"],
    rules: [than("tfjs", 2.5), than("jax", 2.5), than("ort", 1), oneDispatch],
  },
  {
    title: "norms",
    adapters: lavapipe,
    ops: norms,
    rules: [than("tfjs", 2.5), than("jax", 2.5), than("ort", 2.5), oneDispatch],
  },
  {
    title: "softmax, norms",
    adapters: swiftshader,
    ops: ["softmax", ...norms],
    rules: [than("best peer", 1.4), oneDispatch],
  },
  { title: "attention", adapters: lavapipe, ops: ["attention"], rules: [than("tfjs", 3), than("jax", 2.5)] },
  { title: "attention", adapters: swiftshader, ops: ["attention"], rules: [than("jax", 1)] },
  {
    title: "gradient of attention",
    adapters: all,
    ops: ["attention-backward"],
    rules: [{ kind: "backward", atMost: 3 }],
  },
  { title: "convolutions", adapters: lavapipe, ops: convolutions, rules: [than("best peer", 2)] },
  { title: "convolutions", adapters: swiftshader, ops: convolutions, rules: [than("best peer", 1.5)] },
  { title: "elementwise chain", adapters: software, ops: ["add-gelu"], rules: [oneDispatch, share("copy", 0.8)] },
  { title: "sum", adapters: lavapipe, ops: ["sum"], rules: [than("tfjs", 2), than("jax", 1.3)] },
  { title: "sum", adapters: swiftshader, ops: ["sum"], rules: [than("jax", 1)] },
  { title: "MLP training step", adapters: lavapipe, ops: ["mlp-step"], rules: [than("jax", 2.5), than("tfjs", 2.5)] },
  {
    title: "MLP training step",
    adapters: swiftshader,
    ops: ["mlp-step"],
    rules: [than("jax", 1.5), than("tfjs", 1.5)],
  },
  {
    title: "steady step: 0 buffers, 0 bind groups, 0 pipelines, 1 submit",
    adapters: all,
    ops: steps,
    rules: [
      { kind: "at most", what: "buffers", count: 0 },
      { kind: "at most", what: "bindGroups", count: 0 },
      { kind: "at most", what: "pipelines", count: 0 },
      { kind: "at most", what: "submits", count: 1 },
    ],
  },
  {
    title: "at most 5 µs of JavaScript a recorded op",
    adapters: all,
    ops: ["recording"],
    rules: [{ kind: "time", atMost: 5 }],
  },
  { title: "first call", adapters: all, ops: kernels, rules: [{ kind: "cold", atMost: 400 }] },
  { title: "first call, attention", adapters: all, ops: flash, rules: [{ kind: "cold", atMost: 2000 }] },
  {
    title: "no slower than raw kernels",
    adapters: all,
    ops: [...kernels, ...flash],
    rules: [{ kind: "share of raw", atLeast: 0.9 }],
  },
  {
    title: "large product",
    adapters: gpu,
    ops: ["matmul-4096"],
    rules: [share("fma", 0.6), than("tfjs", 1.5), than("jax", 1.5), than("ort", 1)],
  },
  {
    title: "memory-bound kernels",
    adapters: gpu,
    ops: ["softmax-large", "add-gelu-large", "adamw-large"],
    rules: [share("copy", 0.8), than("tfjs", 1.5), than("jax", 1.5), than("ort", 1)],
  },
  { title: "attention", adapters: gpu, ops: ["attention-large"], rules: [share("fma", 0.4), than("jax", 1.5)] },
  { title: "conv3d", adapters: gpu, ops: ["conv3d-large"], rules: [than("best peer", 1.5)] },
];
