import type { Rgb } from "./raster/paint.ts";

/**
 * The colour inside every open mouth, and nowhere else.
 *
 * Its chroma (far more red than green, and more blue than green) is apart from every skin, hair, cloth and wall colour
 * below, so that the mouth opening can be measured from pixels alone (see `measureMouthOpening`).
 */
export const mouthInterior: Rgb = [140, 6, 56];
export const tongueColour: Rgb = [222, 104, 112];
export const teethColour: Rgb = [250, 248, 244];

export const skinTones = {
  pale: [255, 226, 206],
  fair: [248, 210, 178],
  golden: [238, 190, 140],
  tan: [220, 168, 120],
  olive: [200, 152, 104],
  brown: [162, 106, 68],
  dark: [124, 80, 54],
  deep: [94, 62, 46],
} as const satisfies Record<string, Rgb>;

export const hairColours = {
  black: [40, 36, 42],
  brown: [104, 66, 40],
  chestnut: [140, 86, 50],
  blond: [228, 188, 104],
  ginger: [214, 112, 50],
  red: [170, 62, 34],
  grey: [150, 152, 160],
  white: [230, 230, 234],
  blue: [64, 112, 192],
  green: [76, 152, 110],
} as const satisfies Record<string, Rgb>;

export const clothColours = {
  red: [214, 76, 34],
  orange: [234, 138, 54],
  yellow: [242, 204, 84],
  green: [84, 156, 92],
  teal: [54, 150, 152],
  blue: [66, 112, 198],
  navy: [46, 60, 108],
  purple: [98, 88, 178],
  grey: [140, 146, 154],
  white: [240, 238, 232],
  black: [52, 52, 60],
  brown: [134, 94, 62],
} as const satisfies Record<string, Rgb>;

export const wallColours = {
  blue: [148, 190, 228],
  green: [164, 208, 162],
  yellow: [246, 224, 152],
  grey: [196, 200, 206],
  beige: [228, 210, 182],
  lilac: [190, 182, 226],
  orange: [246, 190, 136],
  white: [238, 240, 242],
  teal: [120, 186, 184],
  navy: [70, 84, 128],
} as const satisfies Record<string, Rgb>;

export const eyeColours = {
  brown: [96, 60, 34],
  blue: [70, 130, 200],
  green: [76, 144, 92],
  grey: [110, 122, 136],
  black: [44, 36, 38],
} as const satisfies Record<string, Rgb>;

export type SkinTone = keyof typeof skinTones;
export type HairColour = keyof typeof hairColours;
export type ClothColour = keyof typeof clothColours;
export type WallColour = keyof typeof wallColours;
export type EyeColour = keyof typeof eyeColours;

/** The keys of a palette, typed. */
export function names<K extends string>(palette: Record<K, unknown>): K[] {
  return Object.keys(palette).filter((key): key is K => key in palette);
}
