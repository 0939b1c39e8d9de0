import { describe, expect, test } from "vitest";
import { getDevice } from "../runtime/index.ts";
import {
  convForwardProgram,
  convInputGradProgram,
  type ConvSpec,
  convWeightGradProgram,
  type Extent,
  tiledConv,
  tiledConvWeight,
} from "./conv.ts";
import { blockedConv } from "./conv-blocks.ts";
import type { Program } from "./kernel.ts";
import { noise, runProgram, worstError } from "./run-program.ts";
import { SOFTWARE_TRAITS } from "./traits.fixture.ts";

// f32 sums of at most 2,000 products of values below 1: rounding stays below 2000 * 2^-24.
const TOLERANCE = 1.2e-4;

const GPU = { ...SOFTWARE_TRAITS, software: false };

const volume = ([d, h, w]: Extent): number => d * h * w;

/** Calls `visit` with the element indices of every product of the convolution. */
function forEachProduct(s: ConvSpec, visit: (x: number, w: number, y: number) => void): void {
  const cin = s.inChannels / s.groups;
  const cout = s.outChannels / s.groups;
  for (let n = 0; n < s.batch; n++)
    for (let o = 0; o < volume(s.output); o++)
      for (let tap = 0; tap < volume(s.kernel); tap++) {
        const split = (at: number, [, h, w]: Extent): Extent => [
          Math.floor(at / (h * w)),
          Math.floor(at / w) % h,
          at % w,
        ];
        const out = split(o, s.output);
        const k = split(tap, s.kernel);
        const [d = 0, h = 0, w = 0] = [0, 1, 2].map(
          (a) => (out[a] ?? 0) * (s.stride[a] ?? 1) + (k[a] ?? 0) * (s.dilation[a] ?? 1) - (s.padding[a] ?? 0),
        );
        if (d < 0 || h < 0 || w < 0 || d >= s.input[0] || h >= s.input[1] || w >= s.input[2]) continue;
        const pixel = ((n * s.input[0] + d) * s.input[1] + h) * s.input[2] + w;
        for (let co = 0; co < s.outChannels; co++) {
          const group = Math.floor(co / cout);
          for (let ci = 0; ci < cin; ci++)
            visit(
              pixel * s.inChannels + group * cin + ci,
              (tap * cin + ci) * s.outChannels + co,
              (n * volume(s.output) + o) * s.outChannels + co,
            );
        }
      }
}

const sizesOf = (s: ConvSpec) => ({
  x: s.batch * volume(s.input) * s.inChannels,
  w: volume(s.kernel) * (s.inChannels / s.groups) * s.outChannels,
  y: s.batch * volume(s.output) * s.outChannels,
});

async function forwardError(s: ConvSpec, program: Program): Promise<number> {
  const sizes = sizesOf(s);
  const x = noise(sizes.x, 1);
  const w = noise(sizes.w, 2);
  const bias = noise(s.outChannels, 3);
  const expected = Float64Array.from({ length: sizes.y }, (_, i) => (s.bias ? (bias[i % s.outChannels] ?? 0) : 0));
  forEachProduct(s, (xi, wi, yi) => {
    expected[yi] = (expected[yi] ?? 0) + (x[xi] ?? 0) * (w[wi] ?? 0);
  });
  const [y] = await runProgram(program, s.bias ? [x, w, bias] : [x, w], [sizes.y]);
  return worstError(y ?? [], expected);
}

/** [tap, ci, group, co] as [tap, co, group, ci]. */
function swapChannels({ groups, inChannels, outChannels }: ConvSpec, w: Float32Array): Float32Array {
  const [cin, cout] = [inChannels / groups, outChannels / groups];
  return w.map((_, at) => {
    const [ci, group, co, tap] = [
      at % cin,
      Math.floor(at / cin) % groups,
      Math.floor(at / inChannels) % cout,
      Math.floor(at / inChannels / cout),
    ];
    return w[((tap * cin + ci) * groups + group) * cout + co] ?? 0;
  });
}

async function inputGradError(s: ConvSpec, program: Program): Promise<number> {
  const sizes = sizesOf(s);
  const dy = noise(sizes.y, 1);
  const w = noise(sizes.w, 2);
  const expected = new Float64Array(sizes.x);
  forEachProduct(s, (xi, wi, yi) => {
    expected[xi] = (expected[xi] ?? 0) + (dy[yi] ?? 0) * (w[wi] ?? 0);
  });
  const [dx] = await runProgram(program, [dy, swapChannels(s, w)], [sizes.x]);
  return worstError(dx ?? [], expected);
}

async function weightGradError(s: ConvSpec, program: Program): Promise<number> {
  const sizes = sizesOf(s);
  const x = noise(sizes.x, 1);
  const dy = noise(sizes.y, 2);
  const expected = new Float64Array(sizes.w);
  forEachProduct(s, (xi, wi, yi) => {
    expected[wi] = (expected[wi] ?? 0) + (x[xi] ?? 0) * (dy[yi] ?? 0);
  });
  const [dw] = await runProgram(program, [x, dy], [sizes.w]);
  return worstError(dw ?? [], expected);
}

interface Case {
  readonly batch?: number;
  readonly input: Extent;
  readonly channels: readonly [cin: number, cout: number];
  readonly kernel: Extent;
  readonly stride?: Extent;
  /** Zeros before and after each axis. */
  readonly pad?: readonly [Extent, Extent];
  readonly dilation?: Extent;
  readonly groups?: number;
  readonly bias?: boolean;
}

function specOf(c: Case): ConvSpec {
  const {
    stride = [1, 1, 1],
    dilation = [1, 1, 1],
    pad: [before, after] = [
      [0, 0, 0],
      [0, 0, 0],
    ],
  } = c;
  const extentOf = (a: 0 | 1 | 2) =>
    Math.floor((c.input[a] + before[a] + after[a] - (c.kernel[a] - 1) * dilation[a] - 1) / stride[a]) + 1;
  return {
    batch: c.batch ?? 1,
    input: c.input,
    output: [extentOf(0), extentOf(1), extentOf(2)],
    inChannels: c.channels[0],
    outChannels: c.channels[1],
    kernel: c.kernel,
    stride,
    padding: before,
    dilation,
    groups: c.groups ?? 1,
    bias: c.bias ?? false,
  };
}

const CASES = {
  "one element": { input: [1, 1, 1], channels: [1, 1], kernel: [1, 1, 1] },
  "pointwise, odd": { batch: 2, input: [1, 3, 5], channels: [6, 7], kernel: [1, 1, 1], bias: true },
  "3x3 same": {
    batch: 2,
    input: [1, 5, 6],
    channels: [8, 12],
    kernel: [1, 3, 3],
    pad: [
      [0, 1, 1],
      [0, 1, 1],
    ],
    bias: true,
  },
  "3x3, odd channels": {
    input: [1, 5, 4],
    channels: [5, 7],
    kernel: [1, 3, 3],
    pad: [
      [0, 1, 1],
      [0, 1, 1],
    ],
    bias: true,
  },
  "3x3x3 causal in depth": {
    input: [4, 4, 3],
    channels: [4, 8],
    kernel: [3, 3, 3],
    pad: [
      [2, 1, 1],
      [0, 1, 1],
    ],
  },
  "stride (1,2,2), even": {
    batch: 2,
    input: [2, 6, 8],
    channels: [8, 8],
    kernel: [1, 3, 3],
    stride: [1, 2, 2],
    pad: [
      [0, 0, 0],
      [0, 1, 1],
    ],
  },
  "stride (1,2,2), odd sizes": {
    input: [2, 5, 7],
    channels: [4, 6],
    kernel: [1, 3, 3],
    stride: [1, 2, 2],
    pad: [
      [0, 1, 1],
      [0, 1, 1],
    ],
  },
  "stride (2,1,1)": {
    input: [5, 3, 2],
    channels: [8, 4],
    kernel: [3, 1, 1],
    stride: [2, 1, 1],
    pad: [
      [2, 0, 0],
      [0, 0, 0],
    ],
  },
  "stride beyond the kernel": { input: [1, 1, 14], channels: [4, 4], kernel: [1, 1, 2], stride: [1, 1, 4] },
  dilated: {
    input: [1, 9, 8],
    channels: [4, 4],
    kernel: [1, 3, 3],
    dilation: [1, 2, 3],
    pad: [
      [0, 2, 3],
      [0, 2, 3],
    ],
  },
  "dilated and strided": {
    input: [1, 9, 8],
    channels: [3, 4],
    kernel: [1, 3, 2],
    dilation: [1, 3, 2],
    stride: [1, 2, 3],
    pad: [
      [0, 3, 1],
      [0, 2, 1],
    ],
  },
  "audio: one channel in, k10 s5": {
    batch: 2,
    input: [1, 1, 53],
    channels: [1, 8],
    kernel: [1, 1, 10],
    stride: [1, 1, 5],
    bias: true,
  },
  "audio: k3 s2": { batch: 2, input: [1, 1, 19], channels: [8, 8], kernel: [1, 1, 3], stride: [1, 1, 2] },
  "audio: k2 s2": { batch: 2, input: [1, 1, 18], channels: [12, 4], kernel: [1, 1, 2], stride: [1, 1, 2] },
  "three channels in": {
    input: [1, 6, 6],
    channels: [3, 16],
    kernel: [1, 3, 3],
    pad: [
      [0, 1, 1],
      [0, 1, 1],
    ],
  },
  "two channels in and out": { input: [1, 6, 6], channels: [2, 2], kernel: [1, 2, 2] },
  depthwise: {
    input: [1, 1, 20],
    channels: [6, 6],
    kernel: [1, 1, 5],
    groups: 6,
    pad: [
      [0, 0, 2],
      [0, 0, 2],
    ],
    bias: true,
  },
  "depthwise, strided": {
    input: [1, 5, 6],
    channels: [3, 6],
    kernel: [1, 3, 3],
    groups: 3,
    stride: [1, 2, 2],
    pad: [
      [0, 1, 1],
      [0, 1, 1],
    ],
  },
  "groups of eight": {
    batch: 2,
    input: [1, 1, 11],
    channels: [16, 16],
    kernel: [1, 1, 4],
    groups: 2,
    pad: [
      [0, 0, 2],
      [0, 0, 1],
    ],
    bias: true,
  },
  "groups, odd channels": { input: [1, 1, 11], channels: [10, 18], kernel: [1, 1, 3], groups: 2 },
  "cropped by negative padding": {
    input: [1, 6, 6],
    channels: [4, 4],
    kernel: [1, 2, 2],
    pad: [
      [0, -1, -1],
      [0, 0, 0],
    ],
  },
  "many pixels": { batch: 2, input: [1, 24, 24], channels: [4, 4], kernel: [1, 2, 2] },
} satisfies Record<string, Case>;

const GPU_CASES = [
  "stride (1,2,2), odd sizes",
  "3x3x3 causal in depth",
  "groups, odd channels",
  "cropped by negative padding",
] as const;

describe("conv", () => {
  for (const [name, given] of Object.entries(CASES)) {
    const spec = specOf(given);
    test(`${name}: y, dx and dw equal the float64 sums`, async () => {
      const { traits } = await getDevice();
      expect(await forwardError(spec, convForwardProgram(spec, traits)), "y").toBeLessThan(TOLERANCE);
      const plain = { ...spec, bias: false };
      expect(await inputGradError(plain, convInputGradProgram(plain, traits)), "dx").toBeLessThan(TOLERANCE);
      expect(await weightGradError(plain, convWeightGradProgram(plain, traits)), "dw").toBeLessThan(TOLERANCE);
    });
  }

  for (const share of [1, 4, 8]) {
    test(`${share} sharing lanes: y, dx and dw of a strided convolution`, async (context) => {
      const { traits } = await getDevice();
      if (share > (traits.subgroups ? traits.subgroupMinSize : 1)) return context.skip("subgroups are smaller");
      // what the chooser takes without subgroups: eight rows of scalar loads keep SwiftShader compiling for a minute
      const tile = { lanes: 8, share, rows: share === 1 ? 4 : 8, columns: 1 };
      const spec = specOf({
        input: [1, 6, 7],
        channels: [8, 4],
        kernel: [1, 3, 3],
        stride: [1, 2, 1],
        pad: [
          [0, 1, 1],
          [0, 1, 1],
        ],
      });
      expect(await forwardError(spec, tiledConv(spec, "forward", tile)), "y").toBeLessThan(TOLERANCE);
      expect(await inputGradError(spec, tiledConv(spec, "input", tile)), "dx").toBeLessThan(TOLERANCE);
      expect(await weightGradError(spec, tiledConvWeight(spec, tile, 4)), "dw").toBeLessThan(TOLERANCE);
    });
  }

  // software adapters take seconds to compile each of these, a browser's no other than Node's
  const gpuTest = test.skipIf("document" in globalThis);
  for (const name of GPU_CASES) {
    const spec = specOf(CASES[name]);
    gpuTest(`${name}: y, dx and dw by the kernels for GPUs`, async () => {
      expect(await forwardError(spec, convForwardProgram(spec, GPU)), "y").toBeLessThan(TOLERANCE);
      const plain = { ...spec, bias: false };
      expect(await inputGradError(plain, convInputGradProgram(plain, GPU)), "dx").toBeLessThan(TOLERANCE);
      expect(await weightGradError(plain, convWeightGradProgram(plain, GPU)), "dw").toBeLessThan(TOLERANCE);
    });
  }

  gpuTest("larger blocks, two parts of k: y, dx and dw", async () => {
    const block = { rows: 64, columns: 64, laneRows: 8, laneColumns: 4, double: false };
    const pad: [Extent, Extent] = [
      [0, 1, 1],
      [0, 1, 1],
    ];
    const spec = specOf({ batch: 2, input: [1, 10, 9], channels: [8, 68], kernel: [1, 3, 3], pad, bias: true });
    expect(await forwardError(spec, blockedConv(spec, "forward", block, 2)), "y").toBeLessThan(TOLERANCE);
    const plain = { ...spec, bias: false };
    expect(await inputGradError(plain, blockedConv(plain, "input", block, 2)), "dx").toBeLessThan(TOLERANCE);
    expect(await weightGradError(plain, blockedConv(plain, "weight", block, 2)), "dw").toBeLessThan(TOLERANCE);
  });
});
