import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tensor } from "@omni/core";
import { readImage, readVideo, createVideoWriter, cropImage } from "@omni/media";
import {
  bodyAndHands59,
  frameCount,
  GraphModel,
  HandLandmarks,
  keypointAt,
  MoveNetEstimator,
  parseKeypoints,
  poseWeightsIn,
  wholeSquare,
} from "@omni/pose";
import type { Image, Square } from "@omni/pose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { poseInputs } from "./pose-inputs.fixture.ts";
import { findPoseWeights } from "./pose-weights.ts";
import { readPose } from "./pose-file.ts";
import { fixture } from "./real-pictures.fixture.ts";
import { omni, SLOW_MACHINE, testFolder } from "./testing.fixture.ts";

/** The networks are fetched once; where they cannot be, there is nothing to test. */
const weights = await findPoseWeights(process).catch((error: Error) => {
  console.log(`pose networks are not tested: ${error.message}`);
  return null;
});

const folder = await testFolder();
afterAll(() => folder.remove());

/** Pixels of 400: where the astronaut's joints are, read off the picture by eye. */
const ASTRONAUT = {
  nose: [175, 98],
  left_eye: [192, 82],
  right_eye: [160, 82],
  left_shoulder: [250, 212],
  right_shoulder: [85, 212],
  right_elbow: [48, 325],
} as const;
/** A shoulder under a space suit can be told to about its own width. */
const TOLERANCE = 20;

const flipped = ({ width, height, data }: Image): Image => {
  const out = new Uint8ClampedArray(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      out.set(data.subarray(4 * (y * width + x), 4 * (y * width + x + 1)), 4 * (y * width + width - 1 - x));
  return { width, height, data: out };
};

describe.skipIf(weights === null)("with the networks", { timeout: 3 * SLOW_MACHINE }, () => {
  const networks = poseWeightsIn(weights ?? "");
  test.each(["movenet-thunder", "handlandmark-full"])("%s gives what TensorFlow.js gives", async (name) => {
    const golden = JSON.parse(await readFile(fixture("pose-golden.json"), "utf8")) as Record<
      string,
      Record<string, number[]>
    >;
    const input = (await poseInputs()).find(({ network }) => network === name);
    if (input === undefined) throw new Error(name);
    const graph = await GraphModel.load(join(weights ?? "", `${name}.json`));
    const results = graph.run({ [graph.inputs[0] ?? ""]: tensor(input.values, { shape: input.shape }) });
    for (const output of input.outputs) {
      const [ours, theirs] = [[...((await results[output]?.data()) ?? [])], golden[name]?.[output] ?? []];
      expect(ours).toHaveLength(theirs.length);
      // f32 through 60 layers; points of a hand are in pixels of 224
      const tolerance = 1e-5 * Math.max(1, ...theirs.map(Math.abs));
      for (const [i, value] of theirs.entries()) expect(Math.abs((ours[i] ?? NaN) - value)).toBeLessThan(tolerance);
    }
    graph.dispose();
  });

  describe("hands", () => {
    let hands: HandLandmarks;
    beforeAll(async () => {
      hands = await HandLandmarks.load(networks.hand);
    });

    test.each(["fullcurl", "halfcurl", "nocurl"])("are present in a photograph of one (%s)", async (name) => {
      const image = await readImage(fixture(`hand-${name}.jpg`));
      const [hand] = await hands.find(image, [wholeSquare(image)]);
      expect(hand?.presence).toBeGreaterThan(0.95);
    });

    test.each(["astronaut.jpg", "grace-hopper.jpg"])("are absent where there are none (%s)", async (name) => {
      const image = await readImage(fixture(name));
      const squares = [0.3, 0.7].map((at): Square => ({
        x: at * image.width,
        y: at * image.height,
        size: 0.4 * image.width,
        angle: 0,
      }));
      for (const { presence } of await hands.find(image, [wholeSquare(image), ...squares]))
        expect(presence).toBeLessThan(0.1);
    });

    test.each([
      ["nocurl", 1.5, 2.5],
      ["fullcurl", 0.5, 1],
    ] as const)("show whether the index finger is stretched (%s)", async (name, least, most) => {
      const image = await readImage(fixture(`hand-${name}.jpg`));
      const [hand] = await hands.find(image, [wholeSquare(image)]);
      const fromWrist = (k: number): number => {
        const [at, wrist] = [hand?.points[k], hand?.points[0]];
        return at && wrist ? Math.hypot(at.x - wrist.x, at.y - wrist.y) : NaN;
      };
      // its tip over its knuckle
      const reach = fromWrist(8) / fromWrist(5);
      expect(reach).toBeGreaterThan(least);
      expect(reach).toBeLessThan(most);
    });
  });

  describe("the astronaut", () => {
    let estimator: MoveNetEstimator;
    let image: Image;
    let points: Float32Array;
    beforeAll(async () => {
      estimator = await MoveNetEstimator.load(networks);
      image = await readImage(fixture("astronaut.jpg"));
      points = await estimator.estimate(image, null);
    });
    const at = (from: Float32Array, name: string) => {
      const track = { schema: bodyAndHands59, fps: 1, width: 400, height: 400, points: from };
      return keypointAt(track, 0, bodyAndHands59.keypoints.indexOf(name));
    };

    test.each(Object.entries(ASTRONAUT))("has the %s where one sees it", (name, [x, y]) => {
      const found = at(points, name);
      expect(Math.hypot(found.x * 400 - x, found.y * 400 - y)).toBeLessThan(TOLERANCE);
      expect(found.visibility).toBeGreaterThan(0.3);
    });

    test("has no knees and no hands in the picture", () => {
      for (const name of ["left_knee", "right_knee", "left_ankle", "left_hand_root", "right_hand_root"])
        expect(at(points, name).visibility).toBeLessThan(0.1);
    });

    test("in a mirror is the same the other way round", async () => {
      const mirrored = await estimator.estimate(flipped(image), null);
      for (const name of ["shoulder", "eye"]) {
        const [left, right] = [at(points, `left_${name}`), at(mirrored, `right_${name}`)];
        expect(Math.hypot(1 - left.x - right.x, left.y - right.y)).toBeLessThan(TOLERANCE / 400);
      }
    });
  });

  test("a picture becomes keypoints and an overlay, which animate takes", async () => {
    const [out, overlay] = [folder.at("pose.json"), folder.at("seen.png")];
    const { code, stdout } = await omni(["pose", fixture("astronaut.jpg"), "--out", out, "--overlay", overlay]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 frame, \d+ of 59 points seen/);
    expect(frameCount(parseKeypoints(JSON.parse(await readFile(out, "utf8"))))).toBe(1);
    const [seen, image] = [await readImage(overlay), await readImage(fixture("astronaut.jpg"))];
    const changed = seen.data.filter((value, i) => Math.abs(value - (image.data[i] ?? 0)) > 30).length;
    expect(changed).toBeGreaterThan(1000);
    const driver = await readPose(out);
    const neck = keypointAt(driver, 0, 1);
    expect(Math.hypot(neck.x * 400 - 167, neck.y * 400 - 212)).toBeLessThan(TOLERANCE);
  });

  test("a video is followed, and written as OpenPose does", async () => {
    // the astronaut, moving to the left by 30 pixels a frame
    const image = await readImage(fixture("astronaut.jpg"));
    const clip = folder.at("clip.mp4");
    const writer = await createVideoWriter({ path: clip, width: 320, height: 400, fps: 12.5 });
    for (let frame = 0; frame < 2; frame++) await writer.writeFrame(cropImage(image, 30 * frame, 0, 320, 400));
    await writer.finish();
    const [out, overlay] = [folder.at("clip.json"), folder.at("seen.mp4")];
    const { code, stderr } = await omni(["pose", clip, "--out", out, "--overlay", overlay, "--format", "openpose"]);
    expect(code, stderr).toBe(0);
    const frames = JSON.parse(await readFile(out, "utf8")) as {
      fps: number;
      people: { pose_keypoints_2d: number[] }[];
    }[];
    expect(frames).toHaveLength(2);
    expect(frames[0]?.fps).toBe(12.5);
    const noses = frames.map(({ people }) => people[0]?.pose_keypoints_2d[0] ?? NaN);
    expect(Math.abs((noses[0] ?? NaN) - ASTRONAUT.nose[0])).toBeLessThan(TOLERANCE);
    // smoothing may lag behind the 30 pixels
    expect((noses[0] ?? NaN) - (noses[1] ?? NaN)).toBeGreaterThan(10);
    const seen = await readVideo(overlay);
    expect(seen.fps).toBe(12.5);
    await seen.close();
  });
});

describe("omni pose", () => {
  test("says where the result is to go", async () => {
    const { code, stderr } = await omni(["pose", fixture("astronaut.jpg")]);
    expect(code).toBe(2);
    expect(stderr).toContain("--out pose.json");
  });

  test("wants a video's overlay to be a video, before anything is searched", async () => {
    const { code, stderr } = await omni(["pose", "clip.mp4", "--out", folder.at("a.json"), "--overlay", "seen.png"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--overlay must end in .mp4 or .webm");
  });

  test("names networks that are not there", async () => {
    const { code, stderr } = await omni([
      "pose",
      fixture("astronaut.jpg"),
      "--out",
      folder.at("a.json"),
      "--weights",
      folder.at("none"),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("movenet-thunder.json");
  });

  test("refuses what is no ONNX network, and says what to install where nothing could run it", async () => {
    await writeFile(folder.at("dwpose.onnx"), "");
    const args = ["pose", fixture("astronaut.jpg"), "--out", folder.at("a.json"), "--model", folder.at("dwpose.onnx")];
    const { code, stderr } = await omni(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/npm install onnxruntime-web|must be able to read it as ONNX|must be installed or fetched/);
  });
});
