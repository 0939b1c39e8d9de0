/**
 * Remakes the photographs and recordings of packages/cli/fixtures from their originals. ffmpeg must be installed, with LAME, Vorbis and
 * Opus: these are to be the files that people have, not those of our own encoders.
 *
 * npx tsx --conditions=@omni/source scripts/cli-fixtures.ts ASTRONAUT.png GRACE_HOPPER.jpg
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const [astronaut, hopper] = process.argv.slice(2);
if (astronaut === undefined || hopper === undefined)
  throw new Error("cli-fixtures: give astronaut.png, grace_hopper.jpg");

const cli = fileURLToPath(new URL("../packages/cli", import.meta.url));
const fixture = (name: string): string => join(cli, "fixtures", name);

await sharp(astronaut).resize(400).jpeg({ quality: 80 }).toFile(fixture("astronaut.jpg"));
await sharp(hopper).resize(384).jpeg({ quality: 80 }).toFile(fixture("grace-hopper.jpg"));

/** 0.7 s of the demonstration's speech, from its first word; the right channel is half as loud. */
const piece = ["-ss", "0.25", "-t", "0.7", "-i", join(cli, "assets/demo.wav")];
const stereo = ["-af", "pan=stereo|c0=c0|c1=0.5*c0", "-metadata", "title=Speech"];
const encoders = {
  "speech.mp3": ["-ar", "44100", "-c:a", "libmp3lame", "-b:a", "96k"],
  "speech.m4a": ["-ar", "44100", "-c:a", "aac", "-b:a", "96k"],
  "speech.ogg": ["-ar", "44100", "-c:a", "libvorbis", "-q:a", "3"],
  "speech.opus": ["-ar", "48000", "-c:a", "libopus", "-b:a", "64k"],
  "speech.flac": ["-ar", "44100", "-c:a", "flac", "-sample_fmt", "s16"],
};
for (const [name, encoder] of Object.entries(encoders))
  execFileSync("ffmpeg", ["-v", "error", "-y", ...piece, ...stereo, ...encoder, fixture(name)], { stdio: "inherit" });
