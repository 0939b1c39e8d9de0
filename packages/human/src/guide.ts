import type { DitInputs } from "@omni/dit";
import type { Guidance, GuidanceCurve } from "@omni/sampler";

/** The encoded conditions of a segment that guidance chooses from. */
export type StepConditions = Pick<DitInputs, "reference" | "text" | "textMask" | "audio" | "pose">;

/** Scale of the guidance on audio and text: one for both, or one for each. */
export type GuidanceScale =
  number | GuidanceCurve | { readonly text: number | GuidanceCurve; readonly audio: number | GuidanceCurve };

/**
 * The branches of guidance for the conditions there are. Only audio and text are ever dropped; reference and pose stay on.
 *
 * @see OmniHuman-1, section 3.3
 */
export function guidanceOf(full: StepConditions, scale: GuidanceScale): Guidance<StepConditions> {
  const dropped = { ...full, text: null, textMask: null, audio: null };
  if (!full.text && !full.audio) return { kind: "none", full };
  if (typeof scale === "number" || "kind" in scale) return { kind: "joint", full, dropped, scale };
  if (!full.audio) return { kind: "joint", full, dropped, scale: scale.text };
  if (!full.text) return { kind: "joint", full, dropped, scale: scale.audio };
  const withoutAudio = { ...full, audio: null };
  return { kind: "separate", full, withoutAudio, dropped, textScale: scale.text, audioScale: scale.audio };
}
