import { compare } from "./compare.ts";
import { flushable } from "./subnormal.ts";
import { CaseReader, type GroupManifest } from "./read-cases.ts";
import {
  type Case,
  type CaseAnswer,
  type CaseFiles,
  type CaseResult,
  type Executor,
  type LoadedCase,
  SkippedCase,
} from "./types.ts";

interface Judged {
  readonly worst: number;
  readonly difference: string | null;
}

/** Every output and gradient against its reference. */
function judge(loaded: LoadedCase, { outputs, grads = [] }: CaseAnswer): Judged {
  if (outputs.length !== loaded.outputs.length)
    return { worst: Infinity, difference: `must give ${loaded.outputs.length} outputs, got ${outputs.length}` };
  let worst = 0;
  let difference: string | null = null;
  const look = (what: string, found: Judged): void => {
    worst = Math.max(worst, found.worst);
    if (found.difference !== null) difference ??= `${what}: ${found.difference}`;
  };
  const exempt = flushable(loaded);
  loaded.outputs.forEach((expected, i) => {
    const got = outputs[i];
    if (got) look(expected.name ?? `output ${i}`, compare(got, expected, loaded.values(expected.tensor), exempt));
  });
  (loaded.grads ?? []).forEach((expected, i) => {
    const name = `gradient of ${expected.param ?? expected.input ?? i}`;
    const got = grads[i];
    if (!got) look(name, { worst: Infinity, difference: "missing" });
    else look(name, compare(got, { ...expected, dtype: "f32" }, loaded.values(expected.tensor)));
  });
  return { worst, difference };
}

async function runCase(reader: CaseReader, group: string, one: Case, execute: Executor): Promise<CaseResult> {
  const about = { id: one.id, op: one.op, args: one.args, ...(one.tags && { tags: one.tags }) };
  try {
    const loaded = await reader.load(group, one);
    const { worst, difference } = judge(loaded, await execute(loaded));
    if (difference === null) return { ...about, status: "passed", worst };
    return { ...about, status: "failed", worst, reason: difference };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...about, status: error instanceof SkippedCase ? "skipped" : "failed", reason };
  }
}

/** Runs a group's cases one after the other. @throws Error when the group holds fewer cases than it says */
export async function runGroup(
  manifest: GroupManifest,
  files: CaseFiles,
  execute: Executor,
  report: (result: CaseResult) => void,
): Promise<void> {
  const cases = manifest.cases ?? [];
  if (cases.length < (manifest.n_cases ?? 0))
    throw new Error(`${manifest.group}: must hold ${manifest.n_cases} cases, got ${cases.length}`);
  const reader = new CaseReader(files, cases);
  for (const one of cases) report(await runCase(reader, manifest.group, one, execute));
}
