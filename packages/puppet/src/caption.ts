import { gestures } from "./figure/gestures.ts";
import type { GestureName } from "./figure/gestures.ts";
import type { Framing } from "./figure/view.ts";
import { bottoms, personKinds, rooms } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { clothColours, hairColours, names, wallColours } from "./palette.ts";

const hairWords: Record<Identity["hairStyle"], string> = {
  bald: "no hair",
  buzzed: "very short COLOUR hair",
  short: "short COLOUR hair",
  spiky: "spiky COLOUR hair",
  parted: "parted COLOUR hair",
  bob: "a COLOUR bob",
  long: "long COLOUR hair",
  wavy: "wavy COLOUR hair",
  ponytail: "a COLOUR ponytail",
  bun: "a COLOUR bun",
  pigtails: "COLOUR pigtails",
  curly: "curly COLOUR hair",
  mohawk: "a COLOUR mohawk",
};

const roomWords: Record<Identity["room"], string> = {
  wall: "a COLOUR wall",
  stripes: "a striped COLOUR wall",
  dots: "a dotted COLOUR wall",
  window: "a COLOUR wall with a window",
  picture: "a COLOUR wall with a picture",
  shelf: "a book shelf",
  hills: "green hills",
  city: "a COLOUR city",
  curtain: "a COLOUR curtain",
};

const collarWords: Record<Identity["collar"], string> = {
  crew: "shirt",
  "v-neck": "sweater",
  collar: "shirt with a collar",
  hoodie: "hoodie",
  jacket: "jacket",
  tie: "shirt and a tie",
};

const beardWords: Record<Identity["beard"], string | null> = {
  none: null,
  stubble: "a short beard",
  moustache: "a moustache",
  goatee: "a goatee",
  beard: "a beard",
};
const hatWords: Record<Identity["hat"], string | null> = {
  none: null,
  beanie: "a COLOUR beanie",
  cap: "a COLOUR cap",
  headband: "a COLOUR headband",
  flower: "a flower",
};
const framingWords: Record<Framing, string> = { portrait: "a portrait of", half: "", full: "a full view of" };

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

/**
 * One sentence about the person, the clothes, the gesture and the place; a function of its arguments, in about 90 words of
 * vocabulary.
 */
export function captionOf(identity: Identity, framing: Framing, gesture: GestureName, speaking: boolean): string {
  const features = [
    hairWords[identity.hairStyle].replace("COLOUR", identity.hairColour),
    identity.glasses === "none" ? null : "glasses",
    beardWords[identity.beard],
    hatWords[identity.hat]?.replace("COLOUR", identity.hatColour) ?? null,
  ].filter((word) => word !== null);
  const pattern =
    identity.shirtPattern === "plain"
      ? ""
      : identity.shirtPattern === "pinstriped"
        ? "striped "
        : `${identity.shirtPattern} `;
  const garment = identity.bottom === "dress" ? "dress" : collarWords[identity.collar];
  const lower =
    framing === "full" && identity.bottom !== "dress" ? ` and ${identity.bottomColour} ${identity.bottom}` : "";
  const place = roomWords[identity.room].replace(
    "COLOUR",
    identity.room === "curtain" ? identity.bottomColour : identity.wallColour,
  );
  const lead = framingWords[framing];
  const does = gesture === "still" ? (speaking ? "talks" : "stands still") : gestures[gesture].verb;
  return [
    lead,
    article(identity.kind),
    "with",
    features.length > 1 ? `${features.slice(0, -1).join(", ")} and ${features.at(-1) ?? ""}` : (features[0] ?? ""),
    "in",
    `${article(`${pattern}${identity.shirtColour} ${garment}`)}${lower}`,
    lead === "" ? does : `who ${does}`,
    "in front of",
    place,
  ]
    .filter((word) => word !== "")
    .join(" ");
}

/** Every word that captions use, sorted: the vocabulary of a small tokenizer. */
export function captionVocabulary(): string[] {
  const phrases = [
    ...Object.values(hairWords),
    ...Object.values(roomWords),
    ...Object.values(collarWords),
    ...Object.values(beardWords),
    ...Object.values(hatWords),
    ...Object.values(framingWords),
    ...Object.values(gestures).map(({ verb }) => verb),
    ...names(clothColours),
    ...names(hairColours),
    ...names(wallColours),
    ...personKinds,
    ...bottoms,
    ...rooms,
    "a an the and with in of who talks glasses striped checked dotted front",
  ];
  const words = phrases
    .flatMap((phrase) => (phrase ?? "").replace(/,/g, " , ").split(/\s+/))
    .filter((word) => word !== "" && word !== "COLOUR");
  return [...new Set([...words, ","])].sort();
}
