import { runMetric } from "./groups/metrics.ts";
import { runOp } from "./groups/ops.ts";
import { runOptim } from "./groups/optim.ts";
import type { GroupManifest, SetManifest } from "./read-cases.ts";
import { runGroup } from "./run-group.ts";
import { type CaseFiles, type CaseResult, type Executor, SkippedCase } from "./types.ts";

const notImplemented: Executor = (loaded) => Promise.reject(new SkippedCase(`${loaded.op} is not implemented`));

/** Which executor runs a group: its name's first letter says what kind of cases it holds. */
const executors: Readonly<Record<string, Executor>> = {
  A: runOp,
  B: runOptim,
  D: runMetric,
};

export interface SetOptions {
  /** Groups, or first parts of their names ("A"); all by default. */
  readonly groups?: readonly string[];
  readonly report: (group: string, result: CaseResult) => void;
}

/** Runs the groups of a set. @throws Error when a group asked for is not there, or incomplete */
export async function runSet(files: CaseFiles, { groups, report }: SetOptions): Promise<void> {
  // JSON of the format that runner-spec.md describes
  const set = JSON.parse(await files.text("manifest.json")) as SetManifest;
  const chosen = set.groups.filter(
    ({ group }) => !groups || groups.some((g) => group === g || group.startsWith(`${g}_`)),
  );
  for (const wanted of groups ?? [])
    if (!chosen.some(({ group }) => group === wanted || group.startsWith(`${wanted}_`)))
      throw new Error(
        `conformance: group ${wanted} must be in the set, which has ${set.groups.map((g) => g.group).join(", ")}`,
      );
  for (const { group, manifest, n } of chosen) {
    const held = JSON.parse(await files.text(manifest)) as GroupManifest;
    const execute = executors[group.slice(0, 1)] ?? notImplemented;
    let count = 0;
    await runGroup(held, files, execute, (result) => {
      count++;
      report(group, result);
    });
    if (count < n) throw new Error(`${group}: must hold ${n} cases, got ${count}`);
  }
}
