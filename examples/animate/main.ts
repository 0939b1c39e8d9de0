/** The library behind `omni animate`: a picture and a recording become a video. */
import { generate, nanoWeights, nearestSize, OmniHuman } from "@omni/human";
import { coverBox, createVideoWriter, flattenImage, openAudio, readAudio, readImage, resizeImage } from "@omni/media";

const [imagePath, audioPath, out] = process.argv.slice(2);
if (!imagePath || !audioPath || !out) throw new Error("give a picture, a recording and the video to write");

const model = await OmniHuman.load(nanoWeights());
const { fps, sizes } = model.config.clip;
const image = flattenImage(await readImage(imagePath));
const { width, height } = nearestSize(image, sizes);
const reference = resizeImage(image, width, height, { box: coverBox(image, width, height) });
const { samples } = await readAudio(audioPath); // one channel, 16 kHz
const audio = await openAudio(audioPath); // the sound itself, for the file

const video = await createVideoWriter({ path: out, width, height, fps, audio });
for await (const { frames, index, segments } of generate(model, { reference, audio: samples, seed: 1 })) {
  for (const frame of frames) await video.writeFrame(frame);
  console.log(`segment ${index + 1} of ${segments}`);
}
await video.finish();
await audio.close();
