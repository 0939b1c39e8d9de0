import { runAudioFeatures } from "./groups/audio-features.ts";
import { runAudio } from "./groups/audio.ts";
import { runFeatureNetwork } from "./groups/feature-networks.ts";
import { runMetric } from "./groups/metrics.ts";
import { runOp } from "./groups/ops.ts";
import { runOptim } from "./groups/optim.ts";
import { runSafetensors } from "./groups/safetensors.ts";
import { runScheduler } from "./groups/scheduler.ts";
import { runSd3 } from "./groups/sd3.ts";
import { runText } from "./groups/text.ts";
import { runVae } from "./groups/vae.ts";
import { runVideoDit } from "./groups/video-dit.ts";
import type { GroupManifest, SetManifest } from "./read-cases.ts";
import { runGroup } from "./run-group.ts";
import { type CaseFiles, type CaseResult, type Executor, SkippedCase } from "./types.ts";

type GroupRunner = (manifest: unknown, files: CaseFiles, report: (result: CaseResult) => void) => Promise<void>;

// JSON of the format that the set's runner-spec.md describes
const casesWith =
  (execute: Executor): GroupRunner =>
  (manifest, files, report) =>
    runGroup(manifest as GroupManifest, files, execute, report);

const notImplemented = casesWith((loaded) => Promise.reject(new SkippedCase(`${loaded.op} is not implemented`)));

/** What runs a group: found by its name, else by the first letter, which says what kind of cases it holds. */
const runners: Readonly<Record<string, GroupRunner>> = {
  A: casesWith(runOp),
  B: casesWith(runOptim),
  C_audio_features: casesWith(runAudioFeatures),
  C_inception: casesWith(runFeatureNetwork),
  C_mmdit_hunyuan: casesWith(runVideoDit),
  C_mmdit_sd3: casesWith(runSd3),
  C_scheduler: casesWith(runScheduler),
  C_syncnet: casesWith(runFeatureNetwork),
  C_t5: casesWith(runText),
  C_vae: casesWith(runVae),
  C_video_dit: casesWith(runVideoDit),
  C_wav2vec2: casesWith(runAudio),
  D: casesWith(runMetric),
  E: runSafetensors,
};

export interface SetOptions {
  /** Groups, or first parts of their names ("A"); all by default. */
  readonly groups?: readonly string[];
  readonly report: (group: string, result: CaseResult) => void;
}

const isAskedFor = (group: string, wanted: string): boolean => group === wanted || group.startsWith(`${wanted}_`);

/** Runs the groups of a set. @throws Error when a group asked for is not there, or incomplete */
export async function runSet(files: CaseFiles, { groups, report }: SetOptions): Promise<void> {
  const set = JSON.parse(await files.text("manifest.json")) as SetManifest;
  for (const wanted of groups ?? [])
    if (!set.groups.some(({ group }) => isAskedFor(group, wanted)))
      throw new Error(
        `conformance: group ${wanted} must be in the set, which has ${set.groups.map((g) => g.group).join(", ")}`,
      );
  for (const { group, manifest, n } of set.groups) {
    if (groups && !groups.some((wanted) => isAskedFor(group, wanted))) continue;
    const run = runners[group] ?? runners[group.slice(0, 1)] ?? notImplemented;
    let count = 0;
    await run(JSON.parse(await files.text(manifest)), files, (result) => {
      count++;
      report(group, result);
    });
    if (count < n) throw new Error(`${group}: must hold ${n} cases, got ${count}`);
  }
}
