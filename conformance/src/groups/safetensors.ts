import {
  type ByteSource,
  bytesSource,
  CheckpointError,
  openCheckpoint,
  readSafetensors,
  type StoredTensor,
} from "@omni/core/checkpoint";
import { type CaseFiles, type CaseResult, MissingFile } from "../types.ts";

/** What a file must do, as the manifest has it; all but `file` may be absent. */
interface FileCase {
  readonly file: string;
  readonly id?: string;
  /** What the written format wants; stands in for `expect` where that is absent. */
  readonly spec?: "accept" | "reject";
  /** `either`: the format's text and its reference reader differ, both verdicts pass. */
  readonly expect?: "accept" | "reject" | "either";
  /** Values as f32, by tensor; "nan", "inf" and "-inf" stand for what JSON lacks. */
  readonly tensors?: Readonly<Record<string, readonly (number | string)[]>>;
  /** Exact integers as decimal text. */
  readonly integers?: Readonly<Record<string, readonly string[]>>;
  /** The 32-bit words as they are stored. */
  readonly bits_u32?: Readonly<Record<string, readonly number[]>>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** How many tensors there are, where `tensors` lists some only. */
  readonly n_tensors?: number;
}

interface SafetensorsManifest {
  readonly n_files?: number;
  readonly files?: readonly FileCase[];
  readonly indexes?: readonly FileCase[];
}

/** Time that one file may take, ms; the largest are below 2 MB. */
const MOST_MILLISECONDS = 20_000;

/**
 * Opens every file and index of the group. Those to accept are read from memory and from a Blob, and compared bit for bit in values,
 * integers, words, metadata and number of tensors; those to reject must end in a CheckpointError.
 *
 * @param files by paths relative to the set's folder
 */
export async function runSafetensors(
  manifest: unknown,
  files: CaseFiles,
  report: (result: CaseResult) => void,
): Promise<void> {
  // JSON of the set, whose layout its format describes; what is absent is not compared
  const { files: cases = [], indexes = [], n_files = 0 } = manifest as SafetensorsManifest;
  const inputsOf = async (path: string) => {
    const bytes = await files.bytes(path);
    return [bytesSource(bytes, path), new Blob([bytes])] as const;
  };
  for (const one of cases)
    await runCase("read", one, report, async () => {
      for (const input of await inputsOf(one.file)) {
        const { tensors, metadata } = await readSafetensors(input);
        await compare(one, tensors, metadata);
      }
    });
  for (const one of indexes)
    await runCase("index", one, report, async () => {
      const { tensors, metadata } = await openCheckpoint(await folderSource(files, one.file));
      await compare(one, tensors, metadata);
    });
  if (cases.length < n_files)
    report({
      id: "n_files",
      op: "manifest",
      status: "failed",
      reason: `the manifest must list its ${n_files} files, got ${cases.length}`,
    });
}

/** A file of the set that finds its neighbours. */
async function folderSource(files: CaseFiles, path: string): Promise<ByteSource> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return {
    ...bytesSource(await files.bytes(path), path),
    sibling: async (name) => bytesSource(await files.bytes(folder + name), name),
  };
}

/** Values that differ from those wanted: a failure however the file was to be taken. */
class Difference extends Error {}

async function runCase(
  op: string,
  one: FileCase,
  report: (result: CaseResult) => void,
  open: () => Promise<void>,
): Promise<void> {
  const wanted = one.expect ?? one.spec ?? "accept";
  const id = one.id ?? one.file.slice(one.file.lastIndexOf("/") + 1);
  const started = performance.now();
  const failure = await open().then(
    () => null,
    (error: unknown) => error,
  );
  const took = performance.now() - started;
  const verdict = failure === null ? "accept" : "reject";
  const reason = (): string | undefined => {
    if (took > MOST_MILLISECONDS) return `must take at most ${MOST_MILLISECONDS} ms, took ${Math.round(took)}`;
    if (failure instanceof Difference) return failure.message;
    if (failure !== null && !isRefusal(failure)) return `must be refused with a CheckpointError, got ${text(failure)}`;
    if (wanted === "either" || wanted === verdict) return undefined;
    return failure === null ? "must be rejected, was accepted" : `must be accepted, got ${text(failure)}`;
  };
  const fault = reason();
  if (fault !== undefined) return report({ id, op, status: "failed", reason: fault });
  const differs = wanted === "either" && one.spec !== undefined && verdict !== one.spec;
  report({ id, op, status: "passed", ...(differs ? { reason: `the format's text says ${one.spec}` } : {}) });
}

/** A shard that is not there is the folder's to refuse. */
const isRefusal = (error: unknown): boolean => error instanceof CheckpointError || error instanceof MissingFile;

function text(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}

async function compare(
  one: FileCase,
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const names = Object.keys(tensors);
  if (one.n_tensors !== undefined && names.length !== one.n_tensors)
    throw new Difference(`must have ${one.n_tensors} tensors, got ${names.length}`);
  if (one.tensors !== undefined && one.n_tensors === undefined)
    same("names", names.sort(), Object.keys(one.tensors).sort());
  for (const [name, wanted] of Object.entries(one.tensors ?? {}))
    same(name, [...(await named(tensors, name).data("f32"))], wanted.map(number));
  for (const [name, wanted] of Object.entries(one.integers ?? {})) {
    const stored = await named(tensors, name).stored();
    same(name, Array.from<number | bigint, string>(stored, String), wanted);
  }
  for (const [name, wanted] of Object.entries(one.bits_u32 ?? {})) {
    const { buffer, byteOffset, byteLength } = await named(tensors, name).stored();
    same(`words of ${name}`, [...new Uint32Array(buffer, byteOffset, byteLength / 4)], wanted);
  }
  if (one.metadata === undefined) return;
  const flat = (record: Readonly<Record<string, string>>) =>
    Object.entries(record)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat();
  same("metadata", flat(metadata), flat(one.metadata));
}

function named(tensors: Readonly<Record<string, StoredTensor>>, name: string): StoredTensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Difference(`must have a tensor ${JSON.stringify(name)}`);
  return tensor;
}

function number(value: number | string): number {
  if (typeof value === "number") return Math.fround(value);
  return value === "nan" ? Number.NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : Number(value);
}

function same(what: string, got: readonly unknown[], wanted: readonly unknown[]): void {
  const at = Array.from(wanted).findIndex((value, i) => !Object.is(value, got[i]));
  if (at < 0 && got.length === wanted.length) return;
  const found = at < 0 ? `${got.length} values` : `${String(got[at])} at ${at}`;
  const expected = at < 0 ? `${wanted.length}` : String(wanted[at]);
  throw new Difference(`${what} must be ${expected}, got ${found}`);
}
