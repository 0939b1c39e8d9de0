import { tensor } from "@omni/core";
import { encoderNames, relativePositionBucket, T5Encoder, textConfigFromUpstream } from "@omni/text";
import { loadUpstream, type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import { SkippedCase } from "../types.ts";

/** Encoders by upstream's class, and whether each layer has its own table of positions. */
const PER_LAYER: Readonly<Record<string, boolean>> = { T5EncoderModel: false, UMT5EncoderModel: true };

function encoder({ args, input, optional, weights, loaded }: ModelCase): ModelAnswer {
  const name = args.text("model_class");
  const perLayer = Object.hasOwn(PER_LAYER, name) ? PER_LAYER[name] : undefined;
  if (perLayer === undefined) throw new SkippedCase(`${name} is not implemented`);
  const network = new T5Encoder(textConfigFromUpstream(loaded.args, { perLayer }));
  const parameter = loadUpstream(network, weights, encoderNames(new Set(weights.keys())));
  const mask = optional("attention_mask");
  const { hidden, attentions, positionBiases } = network.trace(input("input_ids"), mask && mask.cast("f32"));
  const last = hidden.at(-1);
  return {
    outputs: Object.fromEntries([
      ...hidden.map((state, i) => [`hidden_states.${i}`, () => state]),
      ...attentions.map((weights, i) => [`attentions.${i}`, () => weights]),
      ...positionBiases.flatMap((bias, i) => (bias ? [[`position_bias.${i}`, () => bias]] : [])),
      ...(last ? [["last_hidden_state", () => last]] : []),
    ]),
    parameter,
  };
}

function bucket({ args, loaded }: ModelCase): ModelAnswer {
  const [positions] = loaded.inputs.map((one) => loaded.inputValues(one));
  if (!positions) throw new Error("input relative_position is missing");
  const options = {
    buckets: args.number("num_buckets"),
    maxDistance: args.number("max_distance"),
    bidirectional: args.flag("bidirectional", true),
  };
  const buckets = Int32Array.from(positions.data, (position) => relativePositionBucket(position, options));
  return { outputs: { bucket: () => tensor(buckets, { shape: positions.shape }) } };
}

/** Text encoders and their relative positions. */
export const runText = modelCases({
  model: encoder,
  t5_relative_position_bucket: bucket,
});
