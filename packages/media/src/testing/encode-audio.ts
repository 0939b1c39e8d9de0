import { codecs } from "#codecs";
import type { AudioCodec, OutputFormat } from "mediabunny";

/** A sound file made with mediabunny's own encoders, for tests. */
export async function encodeAudio(
  container: "mp3" | "m4a" | "ogg" | "flac" | "webm" | "wav",
  codec: AudioCodec,
  channels: readonly Float32Array[],
  sampleRate: number,
): Promise<Uint8Array> {
  const bunny = await import("mediabunny");
  await codecs.ready();
  const formats: Record<typeof container, () => OutputFormat> = {
    mp3: () => new bunny.Mp3OutputFormat({ xingHeader: false }),
    m4a: () => new bunny.Mp4OutputFormat(),
    ogg: () => new bunny.OggOutputFormat(),
    flac: () => new bunny.FlacOutputFormat(),
    webm: () => new bunny.WebMOutputFormat(),
    wav: () => new bunny.WavOutputFormat(),
  };
  const target = new bunny.BufferTarget();
  const output = new bunny.Output({ format: formats[container](), target });
  const source = new bunny.AudioSampleSource({ codec, quality: new bunny.Quality({ bitrate: 128_000 }) });
  output.addAudioTrack(source);
  await output.start();
  const length = channels[0]?.length ?? 0;
  const data = new Float32Array(length * channels.length);
  for (const [index, channel] of channels.entries()) data.set(channel, index * length);
  const format = { format: "f32-planar", numberOfChannels: channels.length, sampleRate } as const;
  const sample = new bunny.AudioSample({ data, ...format, timestamp: 0 });
  await source.add(sample);
  sample.close();
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer());
}
