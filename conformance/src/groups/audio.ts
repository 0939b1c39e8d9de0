import {
  audioConfigFromUpstream,
  batchWaveforms,
  ctcFromUpstream,
  fromUpstream,
  presets,
  stepCount,
  stepMask,
  Wav2Vec2Ctc,
  Wav2Vec2Encoder,
} from "@omni/audio";
import { tensor } from "@omni/core";
import { loadUpstream, type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import { type LoadedCase, SkippedCase, type StoredValues } from "../types.ts";

function values(loaded: LoadedCase, name: string): StoredValues | null {
  const found = loaded.inputs.find((one) => one.name === name);
  return found ? loaded.inputValues(found) : null;
}

/** Ones in each row of a matrix of ones and zeros. */
function rowSums({ shape: [rows = 0, columns = 0], data }: StoredValues): number[] {
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += data[row * columns + i] ?? 0;
    return sum;
  });
}

function encoder({ args, input, weights, loaded }: ModelCase): ModelAnswer {
  const config = audioConfigFromUpstream(loaded.args);
  const name = args.text("model_class");
  if (name !== "Wav2Vec2Model" && name !== "Wav2Vec2ForCTC") throw new SkippedCase(`${name} is not implemented`);
  const ctc = name === "Wav2Vec2ForCTC" ? new Wav2Vec2Ctc(config, { vocabSize: args.number("vocab_size", 32) }) : null;
  const network = ctc?.wav2vec2 ?? new Wav2Vec2Encoder(config);
  const parameter = ctc ? loadUpstream(ctc, weights, ctcFromUpstream) : loadUpstream(network, weights, fromUpstream);
  const waveform = input("input_values");
  const samples = values(loaded, "attention_mask");
  const sound = samples && stepMask(config, rowSums(samples), waveform.shape[1] ?? 0);
  const { convolved, extracted, hidden } = network.forward(waveform, { sound });
  const attentions = network.attentionWeights(hidden, sound);
  const last = hidden.at(-1);
  return {
    outputs: Object.fromEntries([
      ...hidden.map((state, i) => [`hidden_states.${i}`, () => state]),
      ...attentions.map((matrix, i) => [`attentions.${i}`, () => matrix]),
      ...(last ? [["last_hidden_state", () => last]] : []),
      ...(last && ctc ? [["logits", () => ctc.lm_head.forward(last)]] : []),
      ...(sound ? [["feature_vector_attention_mask", () => sound.gt(0.5)]] : []),
      ["extract_features", () => extracted],
      ["conv_features", () => convolved],
    ]),
    parameter,
  };
}

function featureExtractor({ args, loaded }: ModelCase): ModelAnswer {
  const masked = args.flag("return_attention_mask");
  const { waveform, mask } = batchWaveforms(
    loaded.inputs.map((one) => Float32Array.from(loaded.inputValues(one).data)),
    {
      normalize: args.flag("do_normalize", true),
      countPadding: !masked,
      paddingValue: args.number("padding_value", 0),
    },
  );
  return { outputs: { input_values: () => waveform, attention_mask: () => mask } };
}

function outputLengths({ loaded }: ModelCase): ModelAnswer {
  const lengths = values(loaded, "n");
  if (!lengths) throw new Error("input n is missing");
  const frames = Int32Array.from(lengths.data, (n) => stepCount(presets.base, n));
  return { outputs: { frames: () => tensor(frames, { shape: lengths.shape }) } };
}

/** Audio encoders, and what stands before them. */
export const runAudio = modelCases({
  model: encoder,
  wav2vec2_feature_extractor: featureExtractor,
  wav2vec2_output_lengths: outputLengths,
});
