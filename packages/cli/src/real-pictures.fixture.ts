import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Image } from "@omni/media";
import sharp from "sharp";
import type { Metadata, Sharp } from "sharp";

/** Path of a file in `packages/cli/fixtures`. */
export const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** A kind of picture file. */
export interface PictureKind {
  /** The pixels that a viewer shows: upright, opaque, sRGB. */
  readonly seen: () => Promise<Image>;
  readonly file: () => Promise<Buffer>;
  /** What the file's header must say for the kind to be what it is called. */
  readonly header: Partial<Metadata>;
}

const astronaut = (): Sharp => sharp(fixture("astronaut.jpg"));
const hopper = (): Sharp => sharp(fixture("grace-hopper.jpg"));

/** The same pixels in another kind of file. */
function converted(seen: () => Sharp, convert: (picture: Sharp) => Sharp, header: Partial<Metadata>): PictureKind {
  return { seen: () => imageOf(seen()), file: async () => convert(await settled(seen())).toBuffer(), header };
}

const original = (photo: () => Sharp, name: string, header: Partial<Metadata>): PictureKind => ({
  seen: () => imageOf(photo()),
  file: () => readFile(fixture(name)),
  header,
});

const ellipse = "M 72 200 a 120 180 0 0 1 240 0 a 120 180 0 0 1 -240 0 Z";
const svg = (path: string): Buffer =>
  Buffer.from(`<svg width="384" height="450"><path fill="white" fill-rule="evenodd" d="${path}"/></svg>`);

/** Pictures as people have them. */
export const pictureKinds = {
  "a photograph": original(astronaut, "astronaut.jpg", { format: "jpeg", width: 400, height: 400 }),
  "a taller photograph": original(hopper, "grace-hopper.jpg", { format: "jpeg", width: 384, height: 450 }),
  "a JPEG of odd sides": converted(
    () => hopper().resize(353, 641),
    (picture) => picture.jpeg(),
    { width: 353, height: 641 },
  ),
  "a 16-bit PNG": converted(astronaut, (picture) => picture.toColourspace("rgb16").png(), { depth: "ushort" }),
  "a grey PNG": converted(
    () => hopper().greyscale(),
    (picture) => picture.toColourspace("b-w").png(),
    { space: "b-w", channels: 1 },
  ),
  "a CMYK JPEG": converted(astronaut, (picture) => picture.toColourspace("cmyk").withIccProfile("cmyk").jpeg(), {
    space: "cmyk",
    channels: 4,
  }),
  "a cut-out with transparency": {
    seen: () => imageOf(hopper().composite([{ input: svg(`M 0 0 H 384 V 450 H 0 Z ${ellipse}`) }])),
    file: () =>
      hopper()
        .ensureAlpha()
        .composite([{ input: svg(ellipse), blend: "dest-in" }])
        .png()
        .toBuffer(),
    header: { format: "png", hasAlpha: true },
  },
  // as phones do: the sensor's rows as they are, and a tag that says to turn them by 90° clockwise
  "a JPEG that lies on its side": converted(
    () => astronaut().resize(300, 450),
    (picture) => picture.rotate(270).withMetadata({ orientation: 6 }).jpeg(),
    { width: 450, height: 300, orientation: 6 },
  ),
} as const satisfies Record<string, PictureKind>;

/** The pixels so far as a new start: sharp has an order of its own, such as turning before resizing. */
async function settled(picture: Sharp): Promise<Sharp> {
  return sharp(await picture.png().toBuffer());
}

async function imageOf(picture: Sharp): Promise<Image> {
  const colours = (await settled(picture)).toColourspace("srgb").ensureAlpha();
  const { data, info } = await colours.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) };
}
