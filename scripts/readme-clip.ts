/**
 * Makes the README's moving picture of a video: `npx tsx --conditions=@omni/source scripts/readme-clip.ts out/demo.mp4 docs/demo.webp`.
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type Image, readVideo, writeAnimation } from "@omni/media";

const [from = "out/demo.mp4", to = "docs/demo.webp"] = process.argv.slice(2);
const video = await readVideo(from);
const frames: Image[] = [];
for await (const { image } of video.frames()) frames.push(image);
await video.close();
await mkdir(dirname(to), { recursive: true });
await writeAnimation(to, frames, video.fps);
