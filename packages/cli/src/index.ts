export { run } from "./run.ts";
export { loadModel, processContext } from "./context.ts";
export type { Context, TextSink } from "./context.ts";
export { animate, plainRequest } from "./animate.ts";
export type { AnimateRequest, Animation } from "./animate.ts";
export { demo, demoFiles } from "./demo.ts";
export { fitPicture, readPicture } from "./picture.ts";
export { openPuppets, poseTrack, trainingClip } from "./puppet-source.ts";
export type { PuppetSource } from "./puppet-source.ts";
