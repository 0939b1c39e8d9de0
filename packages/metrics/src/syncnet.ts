import { maxPool2d, maxPool3d, Rng, ShapeError } from "@omni/core";
import type { Tensor } from "@omni/core";
import { BatchNorm, Conv2d, Conv3d, type Layer, Linear, Module, Sequential } from "@omni/core/nn";

/** Channels of both towers' last layer. */
const FEATURES = 512;

const relu: Layer = (x) => x.relu();

/** Two layers from a tower's features to the embedding. */
const head = (embedding: number, rng: Rng): Sequential =>
  new Sequential(
    new Linear(FEATURES, FEATURES, { rng: rng.fork("0") }),
    new BatchNorm(FEATURES),
    relu,
    new Linear(FEATURES, embedding, { rng: rng.fork("3") }),
  );

/** What hears: 20 steps of 13 cepstral coefficients, 0.2 s. */
function audioTower(rng: Rng): Sequential {
  const conv = (place: number, from: number, to: number): Layer[] => [
    new Conv2d(from, to, 3, { padding: 1, rng: rng.fork(place) }),
    new BatchNorm(to),
    relu,
  ];
  return new Sequential(
    ...conv(0, 1, 64),
    // upstream pools single elements here; its place counts in the names
    (x) => x,
    ...conv(4, 64, 192),
    (x) => maxPool2d(x, 3, { stride: [1, 2] }),
    ...conv(8, 192, 384),
    ...conv(11, 384, 256),
    ...conv(14, 256, 256),
    (x) => maxPool2d(x, 3, { stride: 2 }),
    new Conv2d(256, FEATURES, [5, 4], { rng: rng.fork(18) }),
    new BatchNorm(FEATURES),
    relu,
  );
}

/** What sees: five frames of a face, 0.2 s at 25 frames a second. */
function lipTower(rng: Rng): Sequential {
  const conv = (place: number): Layer[] => [
    new Conv3d(256, 256, [1, 3, 3], { padding: [0, 1, 1], rng: rng.fork(place) }),
    new BatchNorm(256),
    relu,
  ];
  const pool =
    (padding: number): Layer =>
    (x) =>
      maxPool3d(x, [1, 3, 3], { stride: [1, 2, 2], padding: [0, padding, padding] });
  return new Sequential(
    new Conv3d(3, 96, [5, 7, 7], { stride: [1, 2, 2], rng: rng.fork(0) }),
    new BatchNorm(96),
    relu,
    pool(0),
    new Conv3d(96, 256, [1, 5, 5], { stride: [1, 2, 2], padding: [0, 1, 1], rng: rng.fork(4) }),
    new BatchNorm(256),
    relu,
    pool(1),
    ...conv(8),
    ...conv(11),
    ...conv(14),
    pool(0),
    new Conv3d(256, FEATURES, [1, 6, 6], { rng: rng.fork(18) }),
    new BatchNorm(FEATURES),
    relu,
  );
}

/**
 * SyncNet: embeddings of 0.2 s of a mouth and of sound that lie near each other where they belong together; `lipSync` turns their
 * distances into Sync-C and Sync-D. Its parameters have upstream's names, so that `syncnet_v2.model` loads with `loadNetwork`.
 *
 * @see Chung & Zisserman 2016, "Out of Time: Automated Lip Sync in the Wild"; syncnet_python's `S`
 */
export class SyncNet extends Module {
  // field names are the checkpoint's
  readonly netcnnaud: Sequential;
  readonly netfcaud: Sequential;
  readonly netfclip: Sequential;
  readonly netcnnlip: Sequential;

  constructor({ embedding = 1024, rng = new Rng(0) }: { readonly embedding?: number; readonly rng?: Rng } = {}) {
    super();
    this.netcnnaud = audioTower(rng.fork("netcnnaud"));
    this.netfcaud = head(embedding, rng.fork("netfcaud"));
    this.netfclip = head(embedding, rng.fork("netfclip"));
    this.netcnnlip = lipTower(rng.fork("netcnnlip"));
    this.eval();
  }

  /**
   * @param mfcc cepstral coefficients, [B, 1, 13, 20], a step every 10 ms
   * @returns [B, embedding]
   * @throws ShapeError for other sizes
   */
  hear(mfcc: Tensor): Tensor {
    expectSizes("mfcc", mfcc, [1, 13, 20]);
    return this.netfcaud.forward(this.netcnnaud.forward(mfcc).reshape([-1, FEATURES]));
  }

  /**
   * @param frames five frames of a face, [B, 3, 5, 224, 224]; upstream gives BGR in [0, 255]
   * @returns [B, embedding]
   * @throws ShapeError for other sizes
   */
  see(frames: Tensor): Tensor {
    return this.netfclip.forward(this.lipFeatures(frames));
  }

  /** What the last layers of `see` read, [B, 512]. */
  lipFeatures(frames: Tensor): Tensor {
    expectSizes("frames", frames, [3, 5, 224, 224]);
    return this.netcnnlip.forward(frames).reshape([-1, FEATURES]);
  }
}

function expectSizes(name: string, x: Tensor, sizes: readonly number[]): void {
  const [, ...rest] = x.shape;
  if (rest.join() !== sizes.join())
    throw new ShapeError(`SyncNet: ${name} must be [B, ${sizes.join(", ")}], got [${x.shape.join(", ")}]`);
}
