import { describe, expect, test } from "vitest";
import { clip } from "./clip.ts";
import { keypointEdges, keypointGroups, keypointNames, wholeBodyIndices } from "./keypoints.ts";
import type { KeypointName } from "./keypoints.ts";
import { partLabel } from "./parts.ts";
import type { PartName } from "./parts.ts";

const onParts: Partial<Record<KeypointName, readonly PartName[]>> = {
  leftEye: ["eyes"],
  rightEye: ["eyes"],
  mouthLeft: ["mouth"],
  mouthRight: ["mouth"],
  mouthTop: ["mouth"],
  mouthBottom: ["mouth"],
  chin: ["head"],
  nose: ["head"],
  leftBrowMiddle: ["brows", "hair"],
  rightBrowMiddle: ["brows", "hair"],
  leftWrist: ["leftHand", "arms"],
  rightWrist: ["rightHand", "arms"],
  leftElbow: ["arms"],
  rightElbow: ["arms"],
  leftIndexTip: ["leftHand"],
  rightIndexTip: ["rightHand"],
  leftPinkyTip: ["leftHand"],
  rightThumbTip: ["rightHand"],
  leftKnee: ["body"],
  rightKnee: ["body"],
};

// Parts that may lie before another one: a hand before the chest, the other arm before a hand.
const covers = new Set(["leftHand", "rightHand", "arms"].map((name) => partLabel(name as PartName)));

describe("keypoints", () => {
  test("lie on the parts that they name", () => {
    const size = 160;
    let checked = 0;
    for (let seed = 0; seed < 12; seed++) {
      const made = clip(seed, { width: size, frames: 3, framing: seed % 2 === 0 ? "full" : "half" });
      for (let frame = 0; frame < made.frames; frame++) {
        for (const [name, parts] of Object.entries(onParts)) {
          const index = keypointNames.findIndex((known) => known === name);
          const at = 3 * (frame * keypointNames.length + index);
          const [x, y, visible] = [made.keypoints[at] ?? 0, made.keypoints[at + 1] ?? 0, made.keypoints[at + 2]];
          if (visible !== 1) continue;
          const found = new Set<number>();
          for (let dy = -2; dy <= 2; dy++) {
            for (let dx = -2; dx <= 2; dx++) {
              const px = Math.min(size - 1, Math.max(0, Math.floor(x) + dx));
              const py = Math.min(size - 1, Math.max(0, Math.floor(y) + dy));
              found.add(made.labels[(frame * size + py) * size + px] ?? 0);
            }
          }
          const wanted = (parts ?? []).map((part) => partLabel(part));
          const hit = wanted.some((label) => found.has(label)) || [...found].some((label) => covers.has(label));
          expect(hit, `seed ${seed}, frame ${frame}: ${name} at ${x.toFixed(1)}, ${y.toFixed(1)}`).toBe(true);
          checked++;
        }
      }
    }
    expect(checked).toBeGreaterThan(400);
  });

  test("name every index once and join known ones", () => {
    expect(new Set(wholeBodyIndices).size).toBe(keypointNames.length);
    expect(wholeBodyIndices.every((index) => index >= 0 && index < 133)).toBe(true);
    for (const [a, b] of keypointEdges) expect(Math.min(a, b) >= 0 && Math.max(a, b) < keypointNames.length).toBe(true);
    expect(keypointGroups.leftHand).toHaveLength(6);
    const grouped = [
      ...keypointGroups.body,
      ...keypointGroups.face,
      ...keypointGroups.leftHand,
      ...keypointGroups.rightHand,
    ];
    expect(new Set(grouped).size).toBe(keypointNames.length);
  });
});
