/** Makes a picture twice as large with a public network. Arguments: the picture, the PNG to write. */
import { readFile } from "node:fs/promises";
import { getDevice } from "@omni/core";
import { flattenImage, readImage, writeImage } from "@omni/media";
import { openNetwork, psnr, shrink, upscale } from "./upscale.ts";

const here = (name: string): URL => new URL(name, import.meta.url);
const [path, out] = process.argv.slice(2);

console.log((await getDevice()).description);
const network = await openNetwork(async (name) => (await readFile(here(`esrgan-slim-2x/${name}`))).buffer);
if (path) {
  if (!out) throw new Error("name the PNG to write after the picture to read");
  const { sharp } = await upscale(network, flattenImage(await readImage(path)));
  await writeImage(out, sharp);
  console.log(`wrote ${out}, ${sharp.width}×${sharp.height}`);
} else {
  const truth = flattenImage(await readImage(await readFile(here("cat.png"))));
  const { sharp, cubic } = await upscale(network, await shrink(truth));
  console.log(`cat.png made half as large and as large again, PSNR against the original:`);
  console.log(`bicubic ${psnr(cubic, truth).toFixed(2)} dB, network ${psnr(sharp, truth).toFixed(2)} dB`);
}
