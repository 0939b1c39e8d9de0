import { logSoftmax, Rng } from "@omni/core";
import type { Tensor } from "@omni/core";
import { Linear, Module } from "@omni/core/nn";
import type { AudioConfig } from "./config.ts";
import type { EncodeOptions } from "./model.ts";
import { Wav2Vec2Encoder } from "./model.ts";

/**
 * The encoder with a head that spells what it hears. Its state dict has the keys of `facebook/wav2vec2-base-960h` and its like, all of
 * them: `wav2vec2.*` and `lm_head.*`.
 *
 * @see Baevski et al. 2020, section 4.2; transformers, Wav2Vec2ForCTC
 */
export class Wav2Vec2Ctc extends Module {
  readonly wav2vec2: Wav2Vec2Encoder;
  readonly lm_head: Linear;

  /** @param options.vocabSize symbols, the blank among them; 32 in the English checkpoints */
  constructor(
    config: AudioConfig,
    { vocabSize = 32, rng = new Rng(0) }: { readonly vocabSize?: number; readonly rng?: Rng } = {},
  ) {
    super();
    this.wav2vec2 = new Wav2Vec2Encoder(config, { rng, specMask: true });
    this.lm_head = new Linear(config.hiddenSize, vocabSize, { rng: rng.fork("head") });
  }

  /**
   * @param waveform normalised 16 kHz samples, [B, samples]
   * @returns scores of the symbols at each step, [B, steps, vocabSize]
   */
  forward(waveform: Tensor, options: EncodeOptions = {}): Tensor {
    const last = this.wav2vec2.forward(waveform, options).hidden.at(-1);
    if (!last) throw new Error("Wav2Vec2Ctc: the encoder must give a state");
    return this.lm_head.forward(last);
  }

  /** Log probabilities as core's `ctcLoss` takes them, [steps, B, vocabSize]. */
  logProbabilities(waveform: Tensor, options: EncodeOptions = {}): Tensor {
    return logSoftmax(this.forward(waveform, options)).transpose(0, 1);
  }
}
