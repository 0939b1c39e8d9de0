import { averagePool2d, concat, maxPool2d } from "@omni/core";
import type { Rng, Tensor } from "@omni/core";
import { BatchNorm, Conv2d, Module } from "@omni/core/nn";

// field names of these networks are the checkpoint's

const BN_EPS = 1e-3;

type Size = number | readonly [rows: number, columns: number];

/** Geometry of a convolution: kernel, then stride and zeros around. */
interface Geometry {
  readonly kernel: Size;
  readonly stride?: number;
  readonly padding?: Size;
}

/** Convolution without bias, batch norm with its running statistics, ReLU. @see torchvision's `BasicConv2d` */
export class BasicConv2d extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm;

  constructor(from: number, to: number, { kernel, stride = 1, padding = 0 }: Geometry, rng: Rng) {
    super();
    this.conv = new Conv2d(from, to, kernel, {
      stride,
      padding: typeof padding === "number" ? padding : [...padding],
      bias: false,
      rng: rng.fork(`${from} ${to} ${String(kernel)}`),
    });
    this.bn = new BatchNorm(to, { eps: BN_EPS });
  }

  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x)).relu();
  }
}

const ONE = { kernel: 1 } as const;
const SAME3 = { kernel: 3, padding: 1 } as const;
const HALF3 = { kernel: 3, stride: 2 } as const;
const WIDE7 = { kernel: [1, 7], padding: [0, 3] } as const;
const TALL7 = { kernel: [7, 1], padding: [3, 0] } as const;
const WIDE3 = { kernel: [1, 3], padding: [0, 1] } as const;
const TALL3 = { kernel: [3, 1], padding: [1, 0] } as const;

/** One layer after the other. */
const through = (x: Tensor, ...layers: readonly BasicConv2d[]): Tensor =>
  layers.reduce((y, layer) => layer.forward(y), x);

/** Branches side by side in the channels. */
const joined = (...branches: readonly Tensor[]): Tensor => concat([...branches], { axis: 1 });

// the FID variant leaves the zeros around out of its means, as TensorFlow does
const meanAround = (x: Tensor): Tensor => averagePool2d(x, 3, { stride: 1, padding: 1, countIncludePad: false });
const maxAround = (x: Tensor): Tensor => maxPool2d(x, 3, { stride: 1, padding: 1 });
const halved = (x: Tensor): Tensor => maxPool2d(x, 3, { stride: 2 });

/** Same size: 1×1, 5×5, two 3×3 and a mean. [B, in, h, w] → [B, 224 + pool, h, w]. @see pytorch-fid's `FIDInceptionA` */
export class InceptionA extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch5x5_1: BasicConv2d;
  readonly branch5x5_2: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2: BasicConv2d;
  readonly branch3x3dbl_3: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  constructor(from: number, pool: number, rng: Rng) {
    super();
    this.branch1x1 = new BasicConv2d(from, 64, ONE, rng);
    this.branch5x5_1 = new BasicConv2d(from, 48, ONE, rng);
    this.branch5x5_2 = new BasicConv2d(48, 64, { kernel: 5, padding: 2 }, rng);
    this.branch3x3dbl_1 = new BasicConv2d(from, 64, ONE, rng);
    this.branch3x3dbl_2 = new BasicConv2d(64, 96, SAME3, rng);
    this.branch3x3dbl_3 = new BasicConv2d(96, 96, SAME3, rng);
    this.branch_pool = new BasicConv2d(from, pool, ONE, rng);
  }

  forward(x: Tensor): Tensor {
    return joined(
      this.branch1x1.forward(x),
      through(x, this.branch5x5_1, this.branch5x5_2),
      through(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      this.branch_pool.forward(meanAround(x)),
    );
  }
}

/** Half the size. [B, in, h, w] → [B, 480 + in, h / 2, w / 2]. @see torchvision's `InceptionB` */
export class InceptionB extends Module {
  readonly branch3x3: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2: BasicConv2d;
  readonly branch3x3dbl_3: BasicConv2d;

  constructor(from: number, rng: Rng) {
    super();
    this.branch3x3 = new BasicConv2d(from, 384, HALF3, rng);
    this.branch3x3dbl_1 = new BasicConv2d(from, 64, ONE, rng);
    this.branch3x3dbl_2 = new BasicConv2d(64, 96, SAME3, rng);
    this.branch3x3dbl_3 = new BasicConv2d(96, 96, HALF3, rng);
  }

  forward(x: Tensor): Tensor {
    return joined(
      this.branch3x3.forward(x),
      through(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      halved(x),
    );
  }
}

/** Same size: 1×1, 7×7 and two 7×7 as rows and columns, and a mean. [B, in, h, w] → [B, 768, h, w]. @see pytorch-fid's `FIDInceptionC` */
export class InceptionC extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch7x7_1: BasicConv2d;
  readonly branch7x7_2: BasicConv2d;
  readonly branch7x7_3: BasicConv2d;
  readonly branch7x7dbl_1: BasicConv2d;
  readonly branch7x7dbl_2: BasicConv2d;
  readonly branch7x7dbl_3: BasicConv2d;
  readonly branch7x7dbl_4: BasicConv2d;
  readonly branch7x7dbl_5: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  constructor(from: number, narrow: number, rng: Rng) {
    super();
    this.branch1x1 = new BasicConv2d(from, 192, ONE, rng);
    this.branch7x7_1 = new BasicConv2d(from, narrow, ONE, rng);
    this.branch7x7_2 = new BasicConv2d(narrow, narrow, WIDE7, rng);
    this.branch7x7_3 = new BasicConv2d(narrow, 192, TALL7, rng);
    this.branch7x7dbl_1 = new BasicConv2d(from, narrow, ONE, rng);
    this.branch7x7dbl_2 = new BasicConv2d(narrow, narrow, TALL7, rng);
    this.branch7x7dbl_3 = new BasicConv2d(narrow, narrow, WIDE7, rng);
    this.branch7x7dbl_4 = new BasicConv2d(narrow, narrow, TALL7, rng);
    this.branch7x7dbl_5 = new BasicConv2d(narrow, 192, WIDE7, rng);
    this.branch_pool = new BasicConv2d(from, 192, ONE, rng);
  }

  forward(x: Tensor): Tensor {
    const twice = through(x, this.branch7x7dbl_1, this.branch7x7dbl_2, this.branch7x7dbl_3, this.branch7x7dbl_4);
    return joined(
      this.branch1x1.forward(x),
      through(x, this.branch7x7_1, this.branch7x7_2, this.branch7x7_3),
      this.branch7x7dbl_5.forward(twice),
      this.branch_pool.forward(meanAround(x)),
    );
  }
}

/** Half the size. [B, in, h, w] → [B, 512 + in, h / 2, w / 2]. @see torchvision's `InceptionD` */
export class InceptionD extends Module {
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2: BasicConv2d;
  readonly branch7x7x3_1: BasicConv2d;
  readonly branch7x7x3_2: BasicConv2d;
  readonly branch7x7x3_3: BasicConv2d;
  readonly branch7x7x3_4: BasicConv2d;

  constructor(from: number, rng: Rng) {
    super();
    this.branch3x3_1 = new BasicConv2d(from, 192, ONE, rng);
    this.branch3x3_2 = new BasicConv2d(192, 320, HALF3, rng);
    this.branch7x7x3_1 = new BasicConv2d(from, 192, ONE, rng);
    this.branch7x7x3_2 = new BasicConv2d(192, 192, WIDE7, rng);
    this.branch7x7x3_3 = new BasicConv2d(192, 192, TALL7, rng);
    this.branch7x7x3_4 = new BasicConv2d(192, 192, HALF3, rng);
  }

  forward(x: Tensor): Tensor {
    return joined(
      through(x, this.branch3x3_1, this.branch3x3_2),
      through(x, this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4),
      halved(x),
    );
  }
}

/**
 * Same size: 1×1, 3×3 split in two, two 3×3 split in two, and a mean, or in the FID variant's last block a maximum.
 * [B, in, h, w] → [B, 2048, h, w].
 *
 * @see pytorch-fid's `FIDInceptionE_1` and `FIDInceptionE_2`
 */
export class InceptionE extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2a: BasicConv2d;
  readonly branch3x3_2b: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2: BasicConv2d;
  readonly branch3x3dbl_3a: BasicConv2d;
  readonly branch3x3dbl_3b: BasicConv2d;
  readonly branch_pool: BasicConv2d;
  readonly #pool: (x: Tensor) => Tensor;

  constructor(from: number, pool: "mean" | "max", rng: Rng) {
    super();
    this.branch1x1 = new BasicConv2d(from, 320, ONE, rng);
    this.branch3x3_1 = new BasicConv2d(from, 384, ONE, rng);
    this.branch3x3_2a = new BasicConv2d(384, 384, WIDE3, rng);
    this.branch3x3_2b = new BasicConv2d(384, 384, TALL3, rng);
    this.branch3x3dbl_1 = new BasicConv2d(from, 448, ONE, rng);
    this.branch3x3dbl_2 = new BasicConv2d(448, 384, SAME3, rng);
    this.branch3x3dbl_3a = new BasicConv2d(384, 384, WIDE3, rng);
    this.branch3x3dbl_3b = new BasicConv2d(384, 384, TALL3, rng);
    this.branch_pool = new BasicConv2d(from, 192, ONE, rng);
    this.#pool = pool === "mean" ? meanAround : maxAround;
  }

  forward(x: Tensor): Tensor {
    const once = this.branch3x3_1.forward(x);
    const twice = through(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    return joined(
      this.branch1x1.forward(x),
      this.branch3x3_2a.forward(once),
      this.branch3x3_2b.forward(once),
      this.branch3x3dbl_3a.forward(twice),
      this.branch3x3dbl_3b.forward(twice),
      this.branch_pool.forward(this.#pool(x)),
    );
  }
}
