import { interpolate, maxPool2d, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import { BasicConv2d, InceptionA, InceptionB, InceptionC, InceptionD, InceptionE } from "./inception-blocks.ts";

/** Edge of the pictures that the network was trained on, pixels. */
const EDGE = 299;

/** Features of growing depth; FID is measured on the last. */
export interface InceptionFeatures {
  /** After the first pooling, [B, 64, 73, 73]. */
  readonly block0: Tensor;
  /** After the second pooling, [B, 192, 35, 35]. */
  readonly block1: Tensor;
  /** Before the auxiliary classifier's place, [B, 768, 17, 17]. */
  readonly block2: Tensor;
  /** Mean over the last grid, [B, 2048, 1, 1]. */
  readonly block3: Tensor;
}

/**
 * InceptionV3 as the Fréchet inception distance uses it: TensorFlow's network of 2015 with 1008 classes, without the auxiliary classifier. Its
 * parameters have torchvision's names, so that pytorch-fid's `pt_inception-2015-12-05` loads with `loadNetwork`.
 *
 * @see Szegedy et al. 2016, "Rethinking the Inception Architecture"; Heusel et al. 2017; pytorch-fid's `InceptionV3`
 */
export class InceptionV3 extends Module {
  readonly Conv2d_1a_3x3: BasicConv2d;
  readonly Conv2d_2a_3x3: BasicConv2d;
  readonly Conv2d_2b_3x3: BasicConv2d;
  readonly Conv2d_3b_1x1: BasicConv2d;
  readonly Conv2d_4a_3x3: BasicConv2d;
  readonly Mixed_5b: InceptionA;
  readonly Mixed_5c: InceptionA;
  readonly Mixed_5d: InceptionA;
  readonly Mixed_6a: InceptionB;
  readonly Mixed_6b: InceptionC;
  readonly Mixed_6c: InceptionC;
  readonly Mixed_6d: InceptionC;
  readonly Mixed_6e: InceptionC;
  readonly Mixed_7a: InceptionD;
  readonly Mixed_7b: InceptionE;
  readonly Mixed_7c: InceptionE;
  /** The classifier, which features do without. */
  readonly fc: Linear | null;

  /** @param options.classifier whether there is one, as in the public file (the default) */
  constructor({ classifier = true, rng = new Rng(0) }: { readonly classifier?: boolean; readonly rng?: Rng } = {}) {
    super();
    const at = (name: string): Rng => rng.fork(name);
    this.Conv2d_1a_3x3 = new BasicConv2d(3, 32, { kernel: 3, stride: 2 }, at("1a"));
    this.Conv2d_2a_3x3 = new BasicConv2d(32, 32, { kernel: 3 }, at("2a"));
    this.Conv2d_2b_3x3 = new BasicConv2d(32, 64, { kernel: 3, padding: 1 }, at("2b"));
    this.Conv2d_3b_1x1 = new BasicConv2d(64, 80, { kernel: 1 }, at("3b"));
    this.Conv2d_4a_3x3 = new BasicConv2d(80, 192, { kernel: 3 }, at("4a"));
    this.Mixed_5b = new InceptionA(192, 32, at("5b"));
    this.Mixed_5c = new InceptionA(256, 64, at("5c"));
    this.Mixed_5d = new InceptionA(288, 64, at("5d"));
    this.Mixed_6a = new InceptionB(288, at("6a"));
    this.Mixed_6b = new InceptionC(768, 128, at("6b"));
    this.Mixed_6c = new InceptionC(768, 160, at("6c"));
    this.Mixed_6d = new InceptionC(768, 160, at("6d"));
    this.Mixed_6e = new InceptionC(768, 192, at("6e"));
    this.Mixed_7a = new InceptionD(768, at("7a"));
    this.Mixed_7b = new InceptionE(1280, "mean", at("7b"));
    this.Mixed_7c = new InceptionE(2048, "max", at("7c"));
    this.fc = classifier ? new Linear(2048, 1008, { rng: at("fc") }) : null;
    this.eval();
  }

  /**
   * The features that FID is measured on.
   *
   * @param pictures [B, 3, H, W], RGB in [0, 1], of any size
   * @returns [B, 2048]
   * @throws ShapeError for anything else
   */
  forward(pictures: Tensor): Tensor {
    return this.features(pictures).block3.reshape([-1, 2048]);
  }

  /** Features of all depths; those that are not read cost nothing. Arguments and errors as `forward`. */
  features(pictures: Tensor): InceptionFeatures {
    if (pictures.ndim !== 4 || pictures.shape[1] !== 3)
      throw new ShapeError(`InceptionV3: pictures must be [B, 3, H, W], got [${pictures.shape.join(", ")}]`);
    const resized = interpolate(pictures, { size: [EDGE, EDGE], mode: "linear" })
      .mul(2)
      .sub(1);
    const stem = [this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3];
    const block0 = pooled(inTurn(stem, resized));
    const block1 = pooled(inTurn([this.Conv2d_3b_1x1, this.Conv2d_4a_3x3], block0));
    const fives = [this.Mixed_5b, this.Mixed_5c, this.Mixed_5d];
    const sixes = [this.Mixed_6a, this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e];
    const block2 = inTurn([...fives, ...sixes], block1);
    const last = inTurn([this.Mixed_7a, this.Mixed_7b, this.Mixed_7c], block2);
    return { block0, block1, block2, block3: last.mean({ axis: [2, 3], keepdim: true }) };
  }
}

const pooled = (x: Tensor): Tensor => maxPool2d(x, 3, { stride: 2 });

const inTurn = (layers: readonly { forward(x: Tensor): Tensor }[], x: Tensor): Tensor =>
  layers.reduce((y, layer) => layer.forward(y), x);
