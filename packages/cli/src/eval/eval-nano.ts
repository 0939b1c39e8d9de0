import { generate, videoToPictures, type GenerateOptions, type OmniHuman, type Picture } from "@omni/human";
import { keypointNames, type PuppetClip } from "@omni/puppet";
import { videoTensor } from "@omni/trainer";
import { openPuppets, poseTrack } from "../puppet-source.ts";
import {
  keypointError,
  mean,
  mouthCorrelation,
  openings,
  picturesOf,
  referencePicture,
  stillPsnr,
} from "./measures.ts";

export interface EvalOptions {
  /** Held-out people, each with its own held-out speech; half are portraits, half show the body. */
  readonly people: number;
  readonly seed: number;
  readonly steps?: number;
  readonly guidance?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number, detail: string) => void;
}

/** Means over the people of one framing. */
export interface FramingScores {
  readonly people: number;
  /** Correlation of mouth opening with the truth. */
  readonly mouth: {
    readonly audio: number;
    readonly shuffled: number;
    readonly none: number;
    readonly reference: number;
    readonly autoencoder: number;
    readonly truth: number;
  };
  /** Mean opening in silence over the true one in speech; of a true silent clip, what blur alone looks like. */
  readonly silence: { readonly generated: number; readonly autoencoder: number };
  /** PSNR against the reference outside moving parts, dB. */
  readonly identity: { readonly generated: number; readonly autoencoder: number; readonly truth: number };
  /** Mean keypoint error, pixels. */
  readonly keypoints: { readonly pose: number; readonly noPose: number; readonly autoencoder: number };
}

export interface EvalResult {
  readonly face: FramingScores;
  readonly body: FramingScores;
  readonly all: FramingScores;
  /** The same seed gave the same bytes. */
  readonly repeatable: boolean;
}

type Scores = Omit<FramingScores, "people">;

const SECONDS = 2;
const followed = ["nose", "leftShoulder", "rightShoulder", "leftWrist", "rightWrist"] as const;

/** Measures a model on held-out people and speech, with the controls that tell what a score is worth. */
export async function evalNano(model: OmniHuman, options: EvalOptions): Promise<EvalResult> {
  const { people, seed, signal, onProgress } = options;
  const { fps } = model.config.clip;
  const puppets = await openPuppets("test", seed);
  const clipOf = (i: number, silentRate: 0 | 1): PuppetClip =>
    puppets.puppet(i, {
      width: 64,
      height: 64,
      fps,
      frames: Math.round(SECONDS * fps),
      framing: i % 2 === 0 ? "portrait" : i % 4 === 1 ? "half" : "full",
      lipSyncRate: 1,
      silentRate,
      noiseRate: 0,
    });
  const clips = Array.from({ length: people }, (_, i) => clipOf(i, 0));
  const settings = {
    ...(options.steps !== undefined && { steps: options.steps }),
    ...(options.guidance !== undefined && {
      guidance: { kind: "linear", start: options.guidance, end: Math.min(1, options.guidance) } as const,
    }),
  };
  const make = async (clip: PuppetClip, drive: Pick<GenerateOptions, "audio" | "pose">): Promise<Picture[]> => {
    const made: Picture[] = [];
    const run = generate(model, {
      ...settings,
      ...drive,
      reference: referencePicture(clip),
      seconds: SECONDS,
      seed,
      signal,
    });
    for await (const { frames } of run) made.push(...frames);
    return made;
  };
  const scored: { clip: PuppetClip; scores: Scores }[] = [];
  let repeatable = true;
  for (const [i, clip] of clips.entries()) {
    onProgress(i / people, `person ${i + 1} of ${people}`);
    const other = clips[(i + 1) % people] ?? clip;
    const driven = await make(clip, { audio: clip.audio });
    if (i === 0) repeatable = sameFrames(driven, await make(clip, { audio: clip.audio }));
    const posed = await make(clip, { audio: clip.audio, pose: poseTrack(clip) });
    const silent = await make(clip, { audio: new Float32Array(clip.audio.length) });
    const truth = picturesOf(clip.video, clip.width, clip.height);
    const rebuilt = await reconstruct(model, clip);
    const spoken = Math.max(1e-6, mean(openings(truth, clip)));
    const shut = clipOf(i, 1);
    const copies = truth.map(() => referencePicture(clip));
    const points = followed.map((name) => keypointNames.indexOf(name));
    scored.push({
      clip,
      scores: {
        mouth: {
          audio: mouthCorrelation(driven, clip),
          shuffled: mouthCorrelation(await make(clip, { audio: other.audio }), clip),
          none: mouthCorrelation(await make(clip, {}), clip),
          reference: mouthCorrelation(copies, clip),
          autoencoder: mouthCorrelation(rebuilt, clip),
          truth: mouthCorrelation(truth, clip),
        },
        silence: {
          generated: mean(openings(silent, clip)) / spoken,
          autoencoder: mean(openings(await reconstruct(model, shut), shut)) / spoken,
        },
        identity: {
          generated: stillPsnr(driven, clip),
          autoencoder: stillPsnr(rebuilt, clip),
          truth: stillPsnr(truth, clip),
        },
        keypoints: {
          pose: keypointError(posed, clip, points),
          noPose: keypointError(driven, clip, points),
          autoencoder: keypointError(rebuilt, clip, points),
        },
      },
    });
  }
  const of = (wanted: (clip: PuppetClip) => boolean): FramingScores =>
    average(scored.filter((s) => wanted(s.clip)).map((s) => s.scores));
  return {
    face: of((c) => c.framing === "portrait"),
    body: of((c) => c.framing !== "portrait"),
    all: of(() => true),
    repeatable,
  };
}

async function reconstruct(model: OmniHuman, clip: PuppetClip): Promise<Picture[]> {
  const video = videoTensor([clip.video], clip.frames, clip.height, clip.width);
  const decoded = model.vae.decode(model.vae.encode(video));
  const frames = await videoToPictures(decoded);
  decoded.dispose();
  return frames;
}

const sameFrames = (a: readonly Picture[], b: readonly Picture[]): boolean =>
  a.length === b.length && a.every(({ data }, f) => data.every((value, i) => value === b[f]?.data[i]));

function average(list: readonly Scores[]): FramingScores {
  const over = (get: (s: Scores) => number): number => mean(list.map(get).filter(Number.isFinite));
  return {
    people: list.length,
    mouth: {
      audio: over((s) => s.mouth.audio),
      shuffled: over((s) => s.mouth.shuffled),
      none: over((s) => s.mouth.none),
      reference: over((s) => s.mouth.reference),
      autoencoder: over((s) => s.mouth.autoencoder),
      truth: over((s) => s.mouth.truth),
    },
    silence: { generated: over((s) => s.silence.generated), autoencoder: over((s) => s.silence.autoencoder) },
    identity: {
      generated: over((s) => s.identity.generated),
      autoencoder: over((s) => s.identity.autoencoder),
      truth: over((s) => s.identity.truth),
    },
    keypoints: {
      pose: over((s) => s.keypoints.pose),
      noPose: over((s) => s.keypoints.noPose),
      autoencoder: over((s) => s.keypoints.autoencoder),
    },
  };
}
