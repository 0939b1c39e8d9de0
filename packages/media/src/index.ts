export { MediaError } from "./media-error.ts";
export type { MediaErrorKind } from "./media-error.ts";
export type { MediaSource } from "./source.ts";
export { createImage, cropImage, fitToAspect, flattenImage } from "./image.ts";
export type { FitOptions, Image, Rgb } from "./image.ts";
export { coverBox, resizeImage } from "./resize-image.ts";
export type { Box, ResizeOptions } from "./resize-image.ts";
export { readImage } from "./read-image.ts";
export type { ReadImageOptions } from "./read-image.ts";
export { encodeImage, writeAnimation, writeImage } from "./write-image.ts";
export { tile } from "./tile.ts";
export type { TileOptions } from "./tile.ts";
export { openAudio } from "./audio-stream.ts";
export type { AudioStream } from "./audio-stream.ts";
export { mixToMono, readAudio, readAudioOriginal } from "./read-audio.ts";
export type { AudioTrack, MonoAudio } from "./read-audio.ts";
export { Resampler, resample } from "./resample.ts";
export { encodeWav } from "./wav.ts";
export { createVideoWriter } from "./video-writer.ts";
export type {
  VideoContainer,
  VideoDestination,
  VideoFrameInput,
  VideoSettings,
  VideoWriter,
  WrittenVideo,
} from "./video-writer.ts";
export type { AudioInput } from "./audio-feed.ts";
export { readVideo } from "./read-video.ts";
export type { TimedImage, VideoReader } from "./read-video.ts";
