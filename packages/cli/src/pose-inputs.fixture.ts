import { readImage } from "@omni/media";
import { cropSquare, wholeSquare } from "@omni/pose";
import { fixture } from "./real-pictures.fixture.ts";

/** What a network is shown in the comparison with TensorFlow.js. */
export interface PoseInput {
  readonly network: string;
  readonly dtype: "i32" | "f32";
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Results that are compared; MediaPipe's third is the hand's points in metres. */
  readonly outputs: readonly string[];
}

/** The astronaut for MoveNet, a hand for MediaPipe's landmarks. */
export async function poseInputs(): Promise<readonly PoseInput[]> {
  const [person, hand] = [await readImage(fixture("astronaut.jpg")), await readImage(fixture("hand-nocurl.jpg"))];
  return [
    {
      network: "movenet-thunder",
      dtype: "i32",
      shape: [1, 256, 256, 3],
      values: Int32Array.from(cropSquare(person, wholeSquare(person), 256), Math.round),
      outputs: ["Identity"],
    },
    {
      network: "handlandmark-full",
      dtype: "f32",
      shape: [1, 224, 224, 3],
      values: cropSquare(hand, wholeSquare(hand), 224).map((value) => value / 255),
      outputs: ["Identity", "Identity_1", "Identity_2", "Identity_3"],
    },
  ];
}
