import type { HumanLoadOptions } from "@omni/human";
import { nanoWeights, OmniHuman, weightsIn } from "@omni/human";

/** Where text goes: a process's stream, or a test's collector. */
export interface TextSink {
  write(text: string): unknown;
}

/** What a command has around it. */
export interface Context {
  /** Results. */
  readonly stdout: TextSink;
  /** What happens meanwhile, and errors. */
  readonly stderr: TextSink;
  /** The terminal that a progress bar may be drawn on, or null. */
  readonly terminal: NodeJS.WriteStream | null;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Opens a model from a weights folder, or the one that ships. */
  readonly loadModel: (weights: string | null, options?: HumanLoadOptions) => Promise<OmniHuman>;
}

/** @throws CheckpointError or ConfigError when the weights cannot be used */
export function loadModel(weights: string | null, options: HumanLoadOptions = {}): Promise<OmniHuman> {
  return OmniHuman.load(weights === null ? nanoWeights() : weightsIn(weights), options);
}

/** The context of a process. */
export function processContext(signal: AbortSignal): Context {
  const { stdout, stderr } = process;
  return { stdout, stderr, terminal: stderr.isTTY ? stderr : null, signal, loadModel };
}

/** Prints a line to standard output. */
export function print({ stdout }: Pick<Context, "stdout">, line: string): void {
  stdout.write(`${line}\n`);
}

/** Prints a line to standard error. */
export function note({ stderr }: Pick<Context, "stderr">, line: string): void {
  stderr.write(`${line}\n`);
}
