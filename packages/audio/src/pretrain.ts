import { crossEntropy, layerNorm, Rng, softmax, zeros } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import type { AudioConfig } from "./config.ts";
import type { Wav2Vec2Encoder } from "./model.ts";

/** Curves regressed beside the classes: mouth opening, mouth width, loudness. */
export const CURVES = 3;

/** What the sound is known to be at each 50 Hz step. */
export interface AudioTargets {
  /** Viseme or phoneme class, i32 [B, steps]. */
  readonly classes: Tensor;
  /** Mouth opening, mouth width and loudness, [B, steps, 3]. */
  readonly curves: Tensor;
}

/** What a pre-training head predicts at each step. */
export interface AudioPrediction {
  /** [B, steps, classes] */
  readonly logits: Tensor;
  /** [B, steps, 3] */
  readonly curves: Tensor;
}

/** Parts of the pre-training loss; all scalars. */
export interface AudioPretrainLoss {
  readonly loss: Tensor;
  readonly classLoss: Tensor;
  readonly curveLoss: Tensor;
}

/**
 * Reads classes and curves from a learned mix of all hidden states, so that every layer is trained to carry speech.
 *
 * @see Yang et al. 2021, "SUPERB" (weighted sum of layers)
 */
export class AudioPretrainHead extends Module {
  /** Logits of the layers' shares, [layers + 1]. */
  readonly layerMix: Tensor;
  readonly classes: Linear;
  readonly curves: Linear;

  constructor(
    { layers, hiddenSize }: AudioConfig,
    { classes, rng = new Rng(0) }: { readonly classes: number; readonly rng?: Rng },
  ) {
    super();
    this.layerMix = zeros([layers + 1]);
    this.classes = new Linear(hiddenSize, classes, { rng: rng.fork("classes") });
    this.curves = new Linear(hiddenSize, CURVES, { rng: rng.fork("curves") });
  }

  /** @param hidden the encoder's states, [B, steps, hidden] each */
  forward(hidden: readonly Tensor[]): AudioPrediction {
    const shares = softmax(this.layerMix);
    const mixed = hidden
      .map((state, i) => layerNorm(state).mul(shares.slice(0, i, i + 1)))
      .reduce((sum, state) => sum.add(state));
    return { logits: this.classes.forward(mixed), curves: this.curves.forward(mixed) };
  }
}

/**
 * Cross-entropy of the classes plus `curveWeight` times the mean squared error of the curves.
 *
 * @param waveform normalised 16 kHz samples, [B, samples]
 */
export function audioPretrainLoss(
  encoder: Wav2Vec2Encoder,
  head: AudioPretrainHead,
  waveform: Tensor,
  targets: AudioTargets,
  { curveWeight = 1 }: { readonly curveWeight?: number } = {},
): AudioPretrainLoss {
  const { logits, curves } = head.forward(encoder.forward(waveform).hidden);
  const [batch = 0, steps = 0, classes = 0] = logits.shape;
  const classLoss = crossEntropy(logits.reshape([batch * steps, classes]), targets.classes.reshape([batch * steps]));
  const curveLoss = curves.sub(targets.curves).square().mean();
  return { loss: classLoss.add(curveLoss.mul(curveWeight)), classLoss, curveLoss };
}
