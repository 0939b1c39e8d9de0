export { captionOf, captionVocabulary } from "./caption.ts";
export { clip, clips, drawClip, drawReference, streamFrames } from "./clip.ts";
export type { PuppetClip, PuppetFrame, ReferenceFrame } from "./clip.ts";
export { contactSheet } from "./contact-sheet.ts";
export { FigureRenderer } from "./figure/draw.ts";
export { gestures } from "./figure/gestures.ts";
export type { GestureName } from "./figure/gestures.ts";
export { closedMouth, restingState } from "./figure/state.ts";
export type { ArmState, FigureState, HandShape, MouthState } from "./figure/state.ts";
export { frameView, framings } from "./figure/view.ts";
export type { Framing, View } from "./figure/view.ts";
export { drawIdentity, splitOf } from "./identity.ts";
export type { Identity, Split } from "./identity.ts";
export {
  keypointEdges,
  keypointGroups,
  keypointIndex,
  keypointNames,
  keypointTable,
  wholeBodyIndices,
} from "./keypoints.ts";
export type { KeypointName } from "./keypoints.ts";
export { interiorShare, measureMouthOpening } from "./mouth-measure.ts";
export type { MouthWindow, PixelFrame } from "./mouth-measure.ts";
export { boxNames, partLabel, partMask, partNames, stillMask, uniteWindows } from "./parts.ts";
export type { PartName } from "./parts.ts";
export { frameState, frameTime, openRenderer, preparePerformance } from "./performance.ts";
export type { Performance, PerformanceOptions, SoundKind } from "./performance.ts";
export { resample, sampleRate } from "./speech/resample.ts";
export { drawSentence, languages, splitOfText } from "./speech/sentences.ts";
export type { Language } from "./speech/sentences.ts";
export { openSynthesizer, SpeechError } from "./speech/synthesizer.ts";
export type { Phoneme, Speech, SpeechRequest, SpeechSynthesizer } from "./speech/synthesizer.ts";
export { drawUtterance, drawVoice, speakUtterance, UtteranceBank } from "./speech/utterance.ts";
export type { Utterance, Voice } from "./speech/utterance.ts";
export { correlation } from "./correlation.ts";
export { drawDemo } from "./demo.ts";
export type { Demo } from "./demo.ts";
export { layTrack, renderTrack, curveAt } from "./speech/track.ts";
export type { SpeechTrack } from "./speech/track.ts";
export { visemeClass, visemeClasses } from "./speech/visemes.ts";
