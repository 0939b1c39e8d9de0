import { melFilters, melSpectrogram, mfcc, sincResample, spectrum, type SpectrumOptions } from "@omni/audio";
import { type ModelAnswer, type ModelCase, modelCases } from "../model-case.ts";
import type { TorchArgs } from "../torch-args.ts";
import { SkippedCase } from "../types.ts";

/** torch.stft's arguments, in the set's two spellings. */
function spectrumOptions(args: TorchArgs): SpectrumOptions {
  const window = args.text("window", "periodic hann");
  if (window !== "periodic hann") throw new SkippedCase(`window ${window} is not implemented`);
  const modes: Readonly<Record<string, SpectrumOptions["ends"]>> = { reflect: "reflect", constant: "zeros" };
  const ends = args.flag("center", true) ? modes[args.text("pad_mode", "reflect")] : "none";
  if (!ends) throw new SkippedCase(`pad_mode ${args.text("pad_mode")} is not implemented`);
  const size = args.number("n_fft");
  const hop = args.number("hop_length", args.number("hop", Math.floor(size / 4)));
  return { size, hop, window: args.number("win_length", args.number("win", size)), ends };
}

function wav2lip({ args, input }: ModelCase): ModelAnswer {
  const kind = args.text("mel", "slaney scale, slaney norm");
  if (kind !== "slaney scale, slaney norm") throw new SkippedCase(`mel ${kind} is not implemented`);
  const options = {
    ...spectrumOptions(args),
    sampleRate: args.number("sr"),
    mels: args.number("n_mels"),
    low: args.number("fmin"),
    high: args.number("fmax"),
    preEmphasis: args.number("preemphasis"),
    minDb: args.number("min_level_db"),
    referenceDb: args.number("ref_level_db"),
    max: args.number("max_abs_value"),
    symmetric: args.flag("symmetric"),
    clip: args.flag("clip"),
  };
  const { mel, linear } = melSpectrogram(input("wav"), options);
  return { outputs: { mel: () => mel, linear: () => linear, mel_basis: () => melFilters(options) } };
}

function coefficients({ args, input }: ModelCase): ModelAnswer {
  const window = args.text("window", "rectangular (ones)");
  if (window !== "rectangular (ones)") throw new SkippedCase(`window ${window} is not implemented`);
  const sampleRate = args.number("samplerate", 16_000);
  const { mfcc: cepstrum, bands } = mfcc(input("pcm"), {
    sampleRate,
    frameSeconds: args.number("winlen", 0.025),
    stepSeconds: args.number("winstep", 0.01),
    coefficients: args.number("numcep", 13),
    mels: args.number("nfilt", 26),
    size: args.number("nfft", 512),
    low: args.number("lowfreq", 0),
    high: args.number("highfreq", sampleRate / 2),
    preEmphasis: args.number("preemph", 0.97),
    lifter: args.number("ceplifter", 22),
    energy: args.flag("appendEnergy", true),
  });
  return { outputs: { mfcc: () => cepstrum, fbank: () => bands } };
}

function transform({ args, input }: ModelCase): ModelAnswer {
  const { re, im } = spectrum(input("wav"), spectrumOptions(args));
  return { outputs: { re: () => re, im: () => im } };
}

// torchaudio's default for its Kaiser window
const KAISER_BETA = 14.769656459379492;

function resampling({ args, input }: ModelCase): ModelAnswer {
  const method = args.text("resampling_method", "sinc_interpolation");
  const isKaiser = /kaiser/.test(method);
  const y = sincResample(input("wav"), args.number("orig_freq"), args.number("new_freq"), {
    zeros: args.number("lowpass_filter_width", 6),
    rolloff: args.number("rolloff", 0.99),
    window: isKaiser ? { kaiser: args.number("beta", KAISER_BETA) } : "hann",
  });
  return { outputs: { y: () => y } };
}

/** Spectra, cepstra and resampling of sound. */
export const runAudioFeatures = modelCases({
  wav2lip_melspectrogram: wav2lip,
  "python_speech_features.mfcc": coefficients,
  stft: transform,
  "torchaudio.resample": resampling,
});
