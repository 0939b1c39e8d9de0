/** One training clip with its conditions. F frames of H×W pixels, K keypoints. */
export interface TrainingClip {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** [F, H, W, 3] bytes, sRGB. */
  readonly video: Uint8Array;
  /** [H, W, 3] bytes: the same person at another moment. */
  readonly reference: Uint8Array;
  /** Mono, 16 kHz, sample 0 at the start of frame 0. */
  readonly audio: Float32Array;
  /** [F, K, 3]: x and y as fractions of the frame, visibility; in the denoiser's schema. */
  readonly keypoints: Float32Array;
  /** [F, H, W]: importance of moving parts, 0 where all stands still; for puppets 4 on the mouth, 2 on what it may cover, 1 on eyes and hands, ¼ on head and arms. */
  readonly moving: Float32Array;
  readonly caption: string;
  /** The sound fits the mouth: the clip may train the audio condition. */
  readonly lipSync: boolean;
  /** Nobody speaks. */
  readonly silent: boolean;
  /** The keypoints are complete and stable: the clip may train the pose condition. */
  readonly poseVisible: boolean;
}

/** Frame size of a batch, pixels. */
export interface ClipSize {
  readonly width: number;
  readonly height: number;
}

/** Random access to clips: equal numbers give equal clips, so that a run can be resumed anywhere. */
export type ClipSource = (index: number, options: ClipSize & { readonly frames: number }) => TrainingClip;

/** Speech with what the sound is known to be at each step of the audio encoder. */
export interface SpeechSample {
  /** Mono, 16 kHz. */
  readonly audio: Float32Array;
  /** Viseme class at times given, and the curves opening, width, loudness. */
  readonly classAt: (seconds: number) => number;
  readonly curvesAt: (seconds: number) => readonly [number, number, number];
}

export type SpeechSource = (index: number, seconds: number) => SpeechSample;
