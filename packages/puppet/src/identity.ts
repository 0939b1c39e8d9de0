import { clothColours, eyeColours, names, skinTones, wallColours } from "./palette.ts";
import type { ClothColour, EyeColour, HairColour, SkinTone, WallColour } from "./palette.ts";
import type { Pattern } from "./raster/paint.ts";
import { hash, Random } from "./random.ts";

/** Half of the package's seeds: identities and sentences of "test" never occur in "train". */
export type Split = "train" | "test";

export const personKinds = ["woman", "man", "girl", "boy"] as const;
export const hairStyles = [
  "bald",
  "buzzed",
  "short",
  "spiky",
  "parted",
  "bob",
  "long",
  "wavy",
  "ponytail",
  "bun",
  "pigtails",
  "curly",
  "mohawk",
] as const;
export const faceShapes = ["round", "oval", "square", "heart"] as const;
export const eyeStyles = ["round", "almond", "dot"] as const;
export const beards = ["none", "stubble", "moustache", "goatee", "beard"] as const;
export const hats = ["none", "beanie", "cap", "headband", "flower"] as const;
export const glassesStyles = ["none", "round", "square"] as const;
export const collars = ["crew", "v-neck", "collar", "hoodie", "jacket", "tie"] as const;
export const bottoms = ["trousers", "skirt", "shorts", "dress"] as const;
export const rooms = ["wall", "stripes", "dots", "window", "picture", "shelf", "hills", "city", "curtain"] as const;

/** Everything about a person and their surroundings that stays the same over a clip. Lengths are in head units. */
export interface Identity {
  readonly seed: number;
  readonly kind: (typeof personKinds)[number];
  readonly skin: SkinTone;
  readonly face: (typeof faceShapes)[number];
  readonly faceWidth: number;
  readonly hairStyle: (typeof hairStyles)[number];
  readonly hairColour: HairColour;
  readonly hairVolume: number;
  readonly eyeStyle: (typeof eyeStyles)[number];
  readonly eyeColour: EyeColour;
  readonly eyeSize: number;
  readonly eyeGap: number;
  readonly browWidth: number;
  readonly browTilt: number;
  readonly noseSize: number;
  readonly noseStyle: "button" | "line" | "wide";
  readonly mouthWidth: number;
  readonly lips: number;
  readonly beard: (typeof beards)[number];
  readonly glasses: (typeof glassesStyles)[number];
  readonly hat: (typeof hats)[number];
  readonly hatColour: ClothColour;
  readonly freckles: boolean;
  readonly earrings: boolean;
  readonly blush: number;
  readonly shirtColour: ClothColour;
  readonly accentColour: ClothColour;
  readonly shirtPattern: Pattern;
  readonly collar: (typeof collars)[number];
  readonly longSleeves: boolean;
  readonly bottom: (typeof bottoms)[number];
  readonly bottomColour: ClothColour;
  readonly shoulder: number;
  readonly hip: number;
  readonly headScale: number;
  readonly wallColour: WallColour;
  readonly room: (typeof rooms)[number];
  /** How far the mouth opens and how lively the body moves, about 1. */
  readonly articulation: number;
  readonly liveliness: number;
}

/** The attributes whose combination decides the split; no combination is in both. */
function combination(identity: Identity): string {
  const { kind, skin, hairStyle, hairColour, shirtColour, glasses, wallColour } = identity;
  return [kind, skin, hairStyle, hairColour, shirtColour, glasses, wallColour].join(" ");
}

/** The split that an identity belongs to: one combination of attributes in eight is held out. */
export function splitOf(identity: Identity): Split {
  return hash(0x51d7, combination(identity)) % 8 === 0 ? "test" : "train";
}

/**
 * Draw a person from a seed.
 *
 * @param seed any integer; the same seed gives the same person
 * @param split drawn again (from forks of the seed) until the person belongs to it
 */
export function drawIdentity(seed: number, split: Split): Identity {
  for (let attempt = 0; ; attempt++) {
    const identity = drawAny(hash(seed, `identity ${attempt}`));
    if (splitOf(identity) === split) return identity;
  }
}

function drawAny(seed: number): Identity {
  const random = new Random(seed);
  const draw = (label: string): Random => random.fork(label);
  const kind = draw("kind").weighted([
    ["woman", 4],
    ["man", 4],
    ["girl", 1.5],
    ["boy", 1.5],
  ] as const);
  const child = kind === "girl" || kind === "boy";
  const female = kind === "woman" || kind === "girl";
  const hairStyle = female
    ? draw("hair").weighted([
        ["bob", 3],
        ["long", 4],
        ["wavy", 3],
        ["ponytail", 3],
        ["bun", 2],
        ["pigtails", child ? 4 : 1],
        ["curly", 2],
        ["short", 1],
        ["parted", 1],
      ] as const)
    : draw("hair").weighted([
        ["short", 4],
        ["spiky", 3],
        ["parted", 4],
        ["curly", 2],
        ["buzzed", 2],
        ["bald", child ? 0 : 1.5],
        ["mohawk", 0.7],
        ["long", 0.7],
        ["bun", 0.4],
      ] as const);
  const hairColour = draw("hair colour").weighted([
    ["black", 4],
    ["brown", 4],
    ["chestnut", 3],
    ["blond", 4],
    ["ginger", 2],
    ["red", 2],
    ["grey", child ? 0 : 1.2],
    ["white", child ? 0 : 0.8],
    ["blue", 0.6],
    ["green", 0.5],
  ] as const);
  const hat = draw("hat").weighted([
    ["none", 8],
    ["beanie", 0.9],
    ["cap", 0.9],
    ["headband", female ? 1 : 0],
    ["flower", female ? 1 : 0],
  ] as const);
  const shirtColour = draw("shirt").pick(names(clothColours));
  const others = names(clothColours).filter((name) => name !== shirtColour);
  const bottom = female
    ? draw("bottom").weighted([
        ["trousers", 3],
        ["skirt", 3],
        ["dress", 3],
        ["shorts", 1],
      ] as const)
    : draw("bottom").weighted([
        ["trousers", 5],
        ["shorts", 2],
      ] as const);
  return {
    seed,
    kind,
    skin: draw("skin").pick(names(skinTones)),
    face: draw("face").pick(faceShapes),
    faceWidth: draw("face width").range(0.84, 0.97),
    hairStyle,
    hairColour,
    hairVolume: draw("hair volume").range(0.08, 0.18),
    eyeStyle: draw("eyes").weighted([
      ["round", 5],
      ["almond", 3],
      ["dot", 2],
    ] as const),
    eyeColour: draw("eye colour").pick(names(eyeColours)),
    eyeSize: draw("eye size").range(0.9, 1.15) * (child ? 1.1 : 1),
    eyeGap: draw("eye gap").range(0.34, 0.4),
    browWidth: draw("brows").range(0.05, female ? 0.075 : 0.1),
    browTilt: draw("brow tilt").range(-0.14, 0.05),
    noseSize: draw("nose").range(0.8, 1.25) * (child ? 0.75 : 1),
    noseStyle: draw("nose style").pick(["button", "line", "wide"] as const),
    mouthWidth: draw("mouth").range(0.9, 1.12),
    lips: female ? draw("lips").range(0.3, 1) : draw("lips").range(0, 0.25),
    beard:
      kind === "man"
        ? draw("beard").weighted([
            ["none", 5],
            ["stubble", 1.5],
            ["moustache", 1],
            ["goatee", 1],
            ["beard", 2],
          ] as const)
        : "none",
    glasses: draw("glasses").weighted([
      ["none", 7],
      ["round", 1.5],
      ["square", 1.5],
    ] as const),
    hat,
    hatColour: draw("hat colour").pick(others),
    freckles: draw("freckles").chance(0.15),
    earrings: female && draw("earrings").chance(0.3),
    blush: draw("blush").chance(0.5) ? draw("blush").range(0.15, 0.4) : 0,
    shirtColour,
    accentColour: draw("accent").pick(others),
    shirtPattern: draw("pattern").weighted([
      ["plain", 4],
      ["striped", 2.5],
      ["pinstriped", 1],
      ["checked", 1.2],
      ["dotted", 1.3],
    ] as const),
    collar: bottom === "dress" ? draw("collar").pick(["crew", "v-neck"] as const) : draw("collar").pick(collars),
    longSleeves: draw("sleeves").chance(0.6),
    bottom,
    bottomColour: draw("bottom colour").pick(others),
    shoulder: (female ? draw("shoulder").range(0.54, 0.62) : draw("shoulder").range(0.62, 0.74)) * (child ? 0.86 : 1),
    hip: draw("hip").range(0.46, 0.58) * (child ? 0.88 : 1),
    headScale: child ? draw("head").range(1.04, 1.1) : draw("head").range(0.96, 1.02),
    wallColour: draw("wall").pick(names(wallColours)),
    room: draw("room").pick(rooms),
    articulation: draw("articulation").range(0.85, 1.15),
    liveliness: draw("liveliness").range(0.6, 1.3),
  };
}
