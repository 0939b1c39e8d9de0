import type { Started } from "../contender.ts";
import { rawAttention } from "./attention.ts";
import { rawAdam, rawAddGelu, rawSum, rawUpload } from "./elementwise.ts";
import { rawMatmul } from "./matmul.ts";
import type { RawGpu } from "./raw-gpu.ts";
import { rawRows } from "./rows.ts";

/** Quick WGSL by hand, with no framework around it: what the adapter gives for an afternoon's work. */
export function startRaw(raw: RawGpu): Started {
  return {
    version: "",
    builders: {
      matmul: (spec, inputs) => Promise.resolve(rawMatmul(raw, spec, inputs)),
      softmax: (spec, inputs) => Promise.resolve(rawRows(raw, "softmax", spec, inputs)),
      layerNorm: (spec, inputs) => Promise.resolve(rawRows(raw, "layerNorm", spec, inputs)),
      rmsNorm: (spec, inputs) => Promise.resolve(rawRows(raw, "rmsNorm", spec, inputs)),
      attention: (spec, inputs) => Promise.resolve(rawAttention(raw, spec, inputs)),
      addGelu: (spec, inputs) => Promise.resolve(rawAddGelu(raw, spec, inputs)),
      sum: (spec, inputs) => Promise.resolve(rawSum(raw, spec, inputs)),
      adam: (spec, inputs) => Promise.resolve(rawAdam(raw, spec, inputs)),
      loadSafetensors: (spec, inputs) => Promise.resolve(rawUpload(raw, spec, inputs)),
    },
  };
}
