import { attention, attentionBackward } from "./attention.ts";
import { convolution } from "./convolution.ts";
import { addGelu, sum } from "./elementwise.ts";
import { groupNorm } from "./group-norm.ts";
import { matmul } from "./matmul.ts";
import { ditStep, loadSafetensors, samplingStep, vaeDecode } from "./models.ts";
import { recording } from "./recording.ts";
import { layerNorm, rmsNorm, softmax } from "./rows.ts";
import { adam, mlpStep } from "./training.ts";

/** Every kind of work that is measured. */
export const kinds = {
  matmul,
  softmax,
  layerNorm,
  rmsNorm,
  groupNorm,
  attention,
  attentionBackward,
  convolution,
  addGelu,
  sum,
  adam,
  mlpStep,
  loadSafetensors,
  ditStep,
  samplingStep,
  vaeDecode,
  recording,
};

export type KindName = keyof typeof kinds;
export type SpecOf<K extends KindName> = Parameters<(typeof kinds)[K]["inputs"]>[0];
export type InputsOf<K extends KindName> = ReturnType<(typeof kinds)[K]["inputs"]>;
