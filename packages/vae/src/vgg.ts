import { CheckpointError, maxPool2d, Rng, tensor } from "@omni/core";
import type { Tensor } from "@omni/core";
import { loadState, openCheckpoint, renamed } from "@omni/core/checkpoint";
import type { ByteInput, Checkpoint } from "@omni/core/checkpoint";
import { Conv2d, kaimingNormal, Module } from "@omni/core/nn";
import type { PerceptualFeatures } from "./perceptual.ts";

/** Blocks of 3×3 convolutions; the picture halves between two blocks. */
export interface VggConfig {
  readonly widths: readonly number[];
  /** Convolutions of each block. */
  readonly convs: readonly number[];
}

export const vggPresets = {
  vgg16: { widths: [64, 128, 256, 512, 512], convs: [2, 2, 3, 3, 3] },
  /** For random weights: 0.07 M parameters. */
  narrow: { widths: [16, 32, 64], convs: [2, 2, 2] },
} as const satisfies Record<string, VggConfig>;

/** Mean and deviation of ImageNet's channels, over pixels in [-1, 1], as LPIPS has them. */
const SHIFT = [-0.03, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.45];

/**
 * VGG's convolutions as features of pictures: what leaves the last ReLU of each block (relu1_2, relu2_2, relu3_3, …). The names are
 * torchvision's, so that a layer's place in `features` is its number there.
 *
 * Weights are random until some are loaded. Random ones judge too: distances between random convolutions' features know edges and textures,
 * if not objects.
 *
 * @see Simonyan & Zisserman 2015; He, Wang & Hopcroft 2016, "A Powerful Generative Model Using Random Weights for the Deep Image Representation"
 */
export class VggFeatures extends Module implements PerceptualFeatures {
  /** Convolutions at their places, null for the ReLUs and poolings between them. */
  readonly features: readonly (Conv2d | null)[];
  readonly #blocks: readonly (readonly Conv2d[])[];
  #channelWeights: readonly Tensor[] | null = null;

  constructor({ widths, convs }: VggConfig = vggPresets.vgg16, rng: Rng = new Rng(0)) {
    super();
    const init = kaimingNormal();
    let from = 3;
    this.#blocks = widths.map((width, block) =>
      Array.from({ length: convs[block] ?? 1 }, (_, i) => {
        const conv = new Conv2d(from, width, 3, { padding: 1, init, rng: rng.fork(`${block}.${i}`) });
        from = width;
        return conv;
      }),
    );
    this.features = this.#blocks.flatMap((block, i) => [
      ...(i > 0 ? [null] : []),
      ...block.flatMap((conv) => [conv, null]),
    ]);
    this.freeze();
  }

  get channelWeights(): readonly Tensor[] | null {
    return this.#channelWeights;
  }

  /** Takes the weights that LPIPS learned for the channels of each block, [C] each. */
  setChannelWeights(weights: readonly Tensor[]): void {
    const [wanted, got] = [this.#blocks.map((block) => block[0]?.weight.shape[0]), weights.map((w) => w.size)];
    if (wanted.join() !== got.join())
      throw new CheckpointError(
        `setChannelWeights: must be for layers of [${wanted.join(", ")}] channels, got [${got.join(", ")}]`,
      );
    this.#channelWeights = weights;
  }

  layers(pictures: Tensor): readonly Tensor[] {
    let x = pictures.sub(tensor(SHIFT).reshape([1, 3, 1, 1])).div(tensor(SCALE).reshape([1, 3, 1, 1]));
    return this.#blocks.map((block, i) => {
      if (i > 0) x = maxPool2d(x, 2);
      for (const conv of block) x = conv.forward(x).relu();
      return x;
    });
  }
}

/**
 * VGG16's features from a public file: torchvision's `vgg16` (`features.0.weight`, …; the classifier is left out), or a whole LPIPS network
 * (`net.slice1.0.weight`, …), channel weights included.
 *
 * @param options.lpips LPIPS' own file, which has the channel weights alone (`lin0.model.1.weight`, …)
 * @throws CheckpointError when names or sizes do not fit
 */
export async function loadVgg16(
  source: ByteInput,
  { config = vggPresets.vgg16, lpips }: { readonly config?: VggConfig; readonly lpips?: ByteInput } = {},
): Promise<VggFeatures> {
  const network = new VggFeatures(config);
  await within(source, async (file) => {
    await loadState(network, renamed(file, toTorchvision));
    if (FIRST_LIN in file.tensors) network.setChannelWeights(await linearWeights(file));
  });
  if (lpips !== undefined) await within(lpips, async (file) => network.setChannelWeights(await linearWeights(file)));
  return network;
}

const FIRST_LIN = "lin0.model.1.weight";

/** LPIPS keeps torchvision's numbers within its slices; what is no convolution of VGG is left out. */
function toTorchvision(name: string): string | null {
  const ours = name.replace(/^net\.slice\d+\./, "features.");
  return /^(classifier|scaling_layer|lins?\d*)\./.test(ours) ? null : ours;
}

async function linearWeights({ tensors }: Checkpoint): Promise<Tensor[]> {
  const weights: Tensor[] = [];
  for (;;) {
    const stored = tensors[`lin${weights.length}.model.1.weight`];
    if (!stored) break;
    // [1, C, 1, 1]
    weights.push(await tensor(Float32Array.from(await stored.data("f32"))).realize());
  }
  if (weights.length === 0)
    throw new CheckpointError(`loadVgg16: LPIPS' channel weights must be there as ${FIRST_LIN} and so on, got none`);
  return weights;
}

async function within(source: ByteInput, use: (file: Checkpoint) => Promise<void>): Promise<void> {
  const file = await openCheckpoint(source);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
