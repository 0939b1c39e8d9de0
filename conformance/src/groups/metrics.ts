import {
  frechetDistance,
  GAUSSIAN_11,
  handKeypointConfidence,
  handKeypointVariance,
  lipSync,
  psnr,
  ssim,
  UNIFORM_7,
} from "@omni/metrics";
import { TorchArgs } from "../torch-args.ts";
import { type CaseAnswer, type Computed, type LoadedCase, SkippedCase, type StoredValues } from "../types.ts";

/** Inputs of a case by name. */
type Inputs = (name: string) => StoredValues;

/** Results of a case by its outputs' names: only those it wants are computed. */
type Results = Readonly<Record<string, () => number | ArrayLike<number>>>;

/** Confidence that the masked variant of HKV asks for, as the format's description has it. */
const CONFIDENT = 0.3;

function likeness(input: Inputs, args: TorchArgs): Results {
  const [a, b] = [input("a"), input("b")];
  const dataRange = args.number("data_range");
  const constants = { dataRange, k1: args.number("K1", 0.01), k2: args.number("K2", 0.03) };
  return {
    gauss11: () => ssim(a, b, { ...constants, window: GAUSSIAN_11 }),
    uniform7: () => ssim(a, b, { ...constants, window: UNIFORM_7 }),
    psnr: () => psnr(a, b, { dataRange }),
  };
}

const metrics: Readonly<Record<string, (input: Inputs, args: TorchArgs) => Results>> = {
  frechet_distance: (input) => ({ distance: () => frechetDistance(input("features1"), input("features2")) }),
  ssim: likeness,
  psnr: likeness,
  syncnet_confidence: (input, args) => {
    const sync = lipSync(input("im_feat"), input("cc_feat"), {
      maxShift: args.number("vshift", 15),
      eps: args.number("pairwise_eps", 1e-6),
    });
    return {
      sync_c: () => sync.confidence,
      sync_d: () => sync.distance,
      offset: () => sync.offset,
      mean_dists: () => sync.meanDistances,
      framewise_conf: () => sync.frameConfidences,
    };
  },
  hand_keypoints: (input) => {
    const confidence = input("confidence");
    const hands = { shape: confidence.shape, xy: input("xy").data, confidence: confidence.data };
    const all = handKeypointVariance(hands);
    return {
      hkc: () => handKeypointConfidence(hands),
      hkv: () => all.variance,
      hkv_std: () => all.deviation,
      per_keypoint_var: () => all.byKeypoint,
      hkv_masked: () => handKeypointVariance(hands, { minConfidence: CONFIDENT }).variance,
    };
  },
};

/** Measures of generated video, in float64 on the host. */
export function runMetric(loaded: LoadedCase): Promise<CaseAnswer> {
  const metric = Object.hasOwn(metrics, loaded.op) ? metrics[loaded.op] : undefined;
  if (!metric) return Promise.reject(new SkippedCase(`${loaded.op} is not implemented`));
  const input: Inputs = (name) => {
    const found = loaded.inputs.find((i) => i.name === name);
    if (!found) throw new Error(`input ${name} is missing`);
    return loaded.inputValues(found);
  };
  const results = metric(input, new TorchArgs(loaded.args));
  const outputs = loaded.outputs.map(({ name = "", shape }): Computed => {
    const result = Object.hasOwn(results, name) ? results[name] : undefined;
    if (!result) throw new SkippedCase(`${loaded.op}: output ${name} is not implemented`);
    const value = result();
    return { shape, dtype: "f32", data: typeof value === "number" ? [value] : value };
  });
  return Promise.resolve({ outputs });
}
