import { chosenFile, fetchBytes, openSection, type Section } from "../page/section.ts";
import { FACTOR, openNetwork, type Picture, psnr, shrink, upscale } from "./upscale.ts";

/** A picture of the user's is reduced to this many pixels a side: the result has twice as many. */
const LARGEST = 256;

/** The section that shows a picture made larger in two ways. */
export const superResolution = (): Section =>
  openSection("super-resolution", async (section) => {
    const file = chosenFile(section);
    const truth = file ? null : await readPicture(new Blob([await fetchBytes("cat.png")]));
    const small = truth ? await shrink(truth) : await readPicture(file ?? new Blob());
    const started = performance.now();
    const network = await openNetwork((name) => fetchBytes(`esrgan-slim-2x/${name}`));
    const { sharp, cubic } = await upscale(network, small);
    const against = (picture: Picture): string => (truth ? `, ${psnr(picture, truth).toFixed(1)} dB` : "");
    section
      .find(".pictures")
      .replaceChildren(
        figure(small, `${small.width}×${small.height}`),
        figure(cubic, `bicubic ${FACTOR}×${against(cubic)}`),
        figure(sharp, `network ${FACTOR}×${against(sharp)}`),
        ...(truth ? [figure(truth, "original")] : []),
      );
    section.tell(`${((performance.now() - started) / 1000).toFixed(1)} s with loading and compiling`);
  });

async function readPicture(file: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvasOf(width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, data };
}

function figure(picture: Picture, caption: string): HTMLElement {
  const context = canvasOf(picture.width, picture.height);
  context.putImageData(new ImageData(Uint8ClampedArray.from(picture.data), picture.width, picture.height), 0, 0);
  const node = document.createElement("figure");
  const line = document.createElement("figcaption");
  line.textContent = caption;
  node.append(context.canvas, line);
  return node;
}

function canvasOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("canvasOf: the page must be able to draw on a canvas");
  return context;
}
