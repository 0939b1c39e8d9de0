/**
 * Write the demonstration's picture and recording (a held-out person, held-out sentences).
 *
 * npx tsx --conditions=@omni/source packages/puppet/scripts/demo-assets.node.ts [folder, by default assets]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawDemo, openSynthesizer, sampleRate } from "@omni/puppet";
import { encodePng } from "./png.node.ts";
import { encodeWav } from "./wav.node.ts";

const folder = process.argv[2] ?? "assets";
const demo = drawDemo(await openSynthesizer());
const rgba = new Uint8Array(demo.size * demo.size * 4).fill(255);
for (let i = 0; i < demo.size * demo.size; i++) rgba.set(demo.image.subarray(3 * i, 3 * i + 3), 4 * i);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "demo.png"), encodePng({ width: demo.size, height: demo.size, data: rgba }));
writeFileSync(join(folder, "demo.wav"), encodeWav(demo.audio, sampleRate));
process.stdout.write(
  `${folder}/demo.png (${demo.size}×${demo.size}), ${folder}/demo.wav (${(demo.audio.length / sampleRate).toFixed(2)} s): ${demo.text}\n`,
);
