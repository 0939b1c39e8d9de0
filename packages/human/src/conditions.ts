import type { KeypointTrack } from "@omni/pose";
import type { Picture } from "./picture.ts";

/** Conditions from weak to strong correlation with the motion. @see OmniHuman-1, section 3.2 */
export const CONDITIONS = ["text", "reference", "audio", "pose"] as const;

export type ConditionName = (typeof CONDITIONS)[number];

/** What drives a video. An absent condition is `null`. */
export interface Conditions {
  /** What is to be seen and done. */
  readonly text: string | null;
  /** The person, at the size of the frames. */
  readonly reference: Picture | null;
  /** Mono, 16 kHz, in [-1, 1]. */
  readonly audio: Float32Array | null;
  /** Keypoints in the denoiser's schema. */
  readonly pose: KeypointTrack | null;
}

/** Which conditions are on. */
export type Activation = Readonly<Record<ConditionName, boolean>>;

/**
 * Decides which conditions drive a video: the strongest one asked for, or else the strongest one there is, and all that are weaker,
 * unless the caller says no.
 *
 * With picture, sound and pose there: `{}` drives by pose with sound; `{ audio: true }` by sound without pose; `{ audio: false }` by pose
 * without sound.
 *
 * @param available conditions that have a value
 * @param wishes true or false overrides the rule for a condition
 * @see OmniHuman-1, section 3.3
 */
export function activate(available: Activation, wishes: Partial<Activation> = {}): Activation {
  const strongest = (is: (name: ConditionName) => boolean): number => CONDITIONS.findLastIndex(is);
  const asked = strongest((name) => available[name] && wishes[name] === true);
  const driver = asked >= 0 ? asked : strongest((name) => available[name] && wishes[name] !== false);
  const isOn = (name: ConditionName): boolean =>
    available[name] && (wishes[name] ?? CONDITIONS.indexOf(name) <= driver);
  return { text: isOn("text"), reference: isOn("reference"), audio: isOn("audio"), pose: isOn("pose") };
}

/** The conditions that stay on under the rule of {@link activate}; the others become `null`. */
export function activeConditions(conditions: Conditions, wishes: Partial<Activation> = {}): Conditions {
  const { text, reference, audio, pose } = conditions;
  const on = activate(
    { text: text !== null, reference: reference !== null, audio: audio !== null, pose: pose !== null },
    wishes,
  );
  return {
    text: on.text ? text : null,
    reference: on.reference ? reference : null,
    audio: on.audio ? audio : null,
    pose: on.pose ? pose : null,
  };
}
