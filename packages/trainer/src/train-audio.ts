import {
  AudioPretrainHead,
  audioPretrainLoss,
  normalizeWaveform,
  presets,
  SAMPLE_RATE,
  stepCount,
  stepTime,
  Wav2Vec2Encoder,
  type AudioConfig,
} from "@omni/audio";
import { Rng, tensor } from "@omni/core";
import { warmupHoldDecay } from "@omni/core/optim";
import { runSteps, type LoopOptions, type SubmittedStep } from "./loop.ts";
import { Optimization } from "./optimization.ts";
import { RunState } from "./run-state.ts";
import type { SpeechSample, SpeechSource } from "./sample.ts";

export interface AudioTraining extends Omit<LoopOptions, "from"> {
  readonly speech: SpeechSource;
  /** Number of classes that the source tells apart. */
  readonly classes: number;
  readonly config?: AudioConfig;
  readonly batch?: number;
  /** Length of a sample. */
  readonly seconds?: number;
  readonly lr?: number;
  readonly seed?: number;
  readonly resume?: boolean;
  /** Weights to start a new run from; random ones by default. */
  readonly start?: Wav2Vec2Encoder;
}

const MODEL = "encoder";
const HEAD = "head";

/**
 * Trains the audio encoder to tell, 50 times a second, which viseme sounds and how far the mouth opens: labels that synthetic speech has for
 * free, in place of wav2vec 2.0's self-supervision, which needs far more data than a nano run sees.
 *
 * @returns the encoder with averaged weights
 */
export async function trainAudio(options: AudioTraining): Promise<Wav2Vec2Encoder> {
  const { speech, classes, config = presets.nano, batch = 8, seconds = 2, lr = 1e-3, seed = 0 } = options;
  const state = options.resume && options.checkpoint ? await RunState.read(options.checkpoint) : null;
  const rng = new Rng(seed).fork("audio");
  const encoder = options.start ?? new Wav2Vec2Encoder(config, { rng: rng.fork(MODEL) });
  const head = new AudioPretrainHead(config, { classes, rng: rng.fork(HEAD) });
  const params = {
    ...Object.fromEntries(encoder.namedParameters(`${MODEL}.`)),
    ...Object.fromEntries(head.namedParameters(`${HEAD}.`)),
  };
  if (state) load(state.group("param"), encoder, head);
  await encoder.realize();
  await head.realize();
  const schedule = warmupHoldDecay({ peak: lr, total: options.steps, warmup: 50, hold: 0.5, final: 0.05 });
  const optimization = new Optimization(params, { lr: schedule, emaDecay: 0.995, onPlan: options.onPlan }, state);

  const samples = Math.round(seconds * SAMPLE_RATE);
  const steps = stepCount(config, samples);
  const times = Array.from({ length: steps }, (_, i) => stepTime(config, i));
  const step = async (index: number): Promise<SubmittedStep> => {
    const drawn = Array.from({ length: batch }, (_, i) => speech(index * batch + i, seconds));
    const { loss, classLoss, curveLoss } = audioPretrainLoss(
      encoder,
      head,
      waveforms(drawn, samples, config),
      {
        classes: tensor(Int32Array.from(drawn.flatMap((s) => times.map(s.classAt))), { shape: [batch, steps] }),
        curves: tensor(Float32Array.from(drawn.flatMap((s) => times.flatMap((t) => s.curvesAt(t)))), {
          shape: [batch, steps, 3],
        }),
      },
      { curveWeight: 4 },
    );
    return optimization.update(index, loss, { classLoss, curveLoss });
  };
  await runSteps({ ...options, from: state?.step ?? 0 }, step, () => optimization.state());
  load(optimization.average, encoder, head);
  return encoder.realize();
}

type Values = Parameters<Wav2Vec2Encoder["loadStateDict"]>[0];

function load(values: Values, encoder: Wav2Vec2Encoder, head: AudioPretrainHead): void {
  const part = (name: string): Values =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, v]) =>
        key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), v]] : [],
      ),
    );
  encoder.loadStateDict(part(MODEL));
  head.loadStateDict(part(HEAD));
}

function waveforms(drawn: readonly SpeechSample[], samples: number, config: AudioConfig) {
  const values = new Float32Array(drawn.length * samples);
  drawn.forEach(({ audio }, b) =>
    values.set(normalizeWaveform(audio.subarray(0, samples), config.varianceFloor), b * samples),
  );
  return tensor(values, { shape: [drawn.length, samples] });
}
