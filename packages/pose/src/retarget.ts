import { frameCount, keypointAt } from "./track.ts";
import type { KeypointTrack } from "./track.ts";

/** A person's limb may differ from the whole in proportion by this factor; more is foreshortening, not proportion. */
const MOST_DIFFERENCE = 1.5;
/** Of a limb's lengths over time: near the longest, since a limb in a picture is shortened and never lengthened. */
const LONGEST = 0.9;

/**
 * Gives a driver's movement the proportions and the place of another person: every limb keeps its direction and takes the reference's length, and the
 * neck moves from where the reference has it. Lengths that the reference does not show scale as the others do. Frames without both shoulders are invisible.
 *
 * @param driver who moves
 * @param reference frame 0: who is to be moved, in the same schema
 * @returns the driver's frames in the reference's picture
 * @throws RangeError when the schemas differ, or no frame or the reference lacks the shoulders
 */
export function retarget(driver: KeypointTrack, reference: KeypointTrack): KeypointTrack {
  const names = driver.schema.keypoints;
  if (names.join() !== reference.schema.keypoints.join())
    throw new RangeError(
      `retarget: driver and reference must have one schema, got ${driver.schema.name} and ${reference.schema.name}; convert one with convertTrack`,
    );
  const target = joints(reference, 0);
  const frames = Array.from({ length: frameCount(driver) }, (_, frame) => joints(driver, frame));
  const first = frames.find((frame) => frame.has(ROOT))?.get(ROOT);
  const place = target.get(ROOT);
  if (first === undefined || place === undefined)
    throw new RangeError(
      `retarget: both shoulders must be visible in ${first ? "the reference" : "some frame of the driver"}`,
    );
  const { overall, ratios } = proportions(frames, target);

  const points = new Float32Array(driver.points.length);
  for (const [f, frame] of frames.entries()) {
    const neck = frame.get(ROOT);
    if (neck === undefined) continue;
    const root = { x: place.x + overall * (neck.x - first.x), y: place.y + overall * (neck.y - first.y) };
    const moved = new Map<string, Joint>([[ROOT, root]]);
    const move = (name: string): Joint => {
      const done = moved.get(name);
      if (done !== undefined) return done;
      const parent = visibleParent(name, frame);
      const [from, to] = [frame.get(parent) ?? neck, frame.get(name) ?? neck];
      const base = move(parent);
      const ratio = ratios.get(kindOf(name)) ?? overall;
      const joint = { x: base.x + ratio * (to.x - from.x), y: base.y + ratio * (to.y - from.y) };
      moved.set(name, joint);
      return joint;
    };
    for (const [k, name] of names.entries()) {
      if (!frame.has(name)) continue;
      const { x, y } = move(name);
      const { visibility } = keypointAt(driver, f, k);
      points.set([x / reference.width, y / reference.height, visibility], 3 * (f * names.length + k));
    }
  }
  return { ...driver, width: reference.width, height: reference.height, points };
}

interface Joint {
  readonly x: number;
  readonly y: number;
}

const ROOT = "neck";

/** What each point hangs on; those of hands and face follow from their names. */
const PARENTS: Readonly<Record<string, string>> = {
  head: ROOT,
  nose: ROOT,
  eye: "nose",
  ear: "eye",
  pupil: "eye",
  shoulder: ROOT,
  elbow: "shoulder",
  wrist: "elbow",
  mid_hip: ROOT,
  hip: "mid_hip",
  knee: "hip",
  ankle: "knee",
  big_toe: "ankle",
  small_toe: "ankle",
  heel: "ankle",
  hand_root: "wrist",
};
/** There is one of each, not a left and a right one. */
const SINGLE = [ROOT, "head", "nose", "mid_hip"];
const FINGER = /^(thumb|.*finger)(\d)$/;

function parentOf(name: string): string {
  const [, side = "", part = ""] = /^(left_|right_)?(.*)$/.exec(name) ?? [];
  if (part.startsWith("face_")) return "nose";
  const [, finger = "", joint = ""] = FINGER.exec(part) ?? [];
  if (joint === "1") return `${side}hand_root`;
  if (joint !== "") return `${side}${finger}${Number(joint) - 1}`;
  const parent = PARENTS[part] ?? ROOT;
  return SINGLE.includes(parent) ? parent : `${side}${parent}`;
}

/** Limbs that share a proportion: left and right, all of a hand, all of a face. */
function kindOf(name: string): string {
  const part = name.replace(/^(left|right)_/, "");
  if (FINGER.test(part) || part === "hand_root") return "hand";
  return part.startsWith("face_") || ["eye", "ear", "pupil"].includes(part) ? "face" : part;
}

function visibleParent(name: string, frame: ReadonlyMap<string, Joint>): string {
  let parent = parentOf(name);
  while (parent !== ROOT && !frame.has(parent)) parent = parentOf(parent);
  return parent;
}

/** The visible points of a frame by name, pixels; neck and middle of the hips are made up from their sides where the schema lacks them. */
function joints(track: KeypointTrack, frame: number): Map<string, Joint> {
  const found = new Map<string, Joint>();
  for (const [k, name] of track.schema.keypoints.entries()) {
    const { x, y, visibility } = keypointAt(track, frame, k);
    if (visibility > 0) found.set(name, { x: x * track.width, y: y * track.height });
  }
  for (const [name, part] of [
    [ROOT, "shoulder"],
    ["mid_hip", "hip"],
  ] as const) {
    const [left, right] = [found.get(`left_${part}`), found.get(`right_${part}`)];
    if (!found.has(name) && left && right) found.set(name, { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 });
  }
  return found;
}

/** How much longer the target's limbs are, kind by kind and on the whole. */
function proportions(
  frames: readonly ReadonlyMap<string, Joint>[],
  target: ReadonlyMap<string, Joint>,
): { readonly overall: number; readonly ratios: ReadonlyMap<string, number> } {
  const sums = new Map<string, { ours: number; theirs: number }>();
  for (const name of target.keys()) {
    const theirs = limb(target, name);
    const lengths = frames.flatMap((frame) => limb(frame, name) ?? []).sort((a, b) => a - b);
    const ours = lengths[Math.floor(LONGEST * (lengths.length - 1))];
    if (theirs === null || ours === undefined) continue;
    const sum = sums.get(kindOf(name)) ?? { ours: 0, theirs: 0 };
    sums.set(kindOf(name), { ours: sum.ours + ours, theirs: sum.theirs + theirs });
  }
  const found = [...sums].filter(([, { ours, theirs }]) => ours > 0 && theirs > 0);
  const sorted = found.map(([, { ours, theirs }]) => theirs / ours).sort((a, b) => a - b);
  const overall = sorted[Math.floor(sorted.length / 2)] ?? 1;
  const within = (ratio: number): number =>
    Math.min(overall * MOST_DIFFERENCE, Math.max(overall / MOST_DIFFERENCE, ratio));
  return { overall, ratios: new Map(found.map(([kind, { ours, theirs }]) => [kind, within(theirs / ours)])) };
}

/** Length from a point to what it hangs on, where both are visible. */
function limb(frame: ReadonlyMap<string, Joint>, name: string): number | null {
  const [from, to] = [frame.get(parentOf(name)), frame.get(name)];
  return from && to && name !== ROOT ? Math.hypot(to.x - from.x, to.y - from.y) : null;
}
